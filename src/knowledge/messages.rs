//! `messages.yaml`: every sentence that the bot itself says.

use serde::Deserialize;
use serde_yaml::Spanned;

use super::check::Checker;
use super::faq::TextYaml;
use super::problem::Problem;
use super::source::{self, FileText};
use super::text::{Language, Localised};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessagesFile {
    #[serde(default)]
    version: Option<Spanned<u64>>,
    messages: MessagesYaml,
}

/// Declares the sentences once: the fields of the file, of [`Messages`], and the placeholders that each must hold.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident [$($placeholder:literal),*]),* $(,)?) => {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct MessagesYaml { $($name: TextYaml,)* }

        /// The bot's own sentences, in both languages.
        #[derive(Clone, Debug)]
        pub struct Messages { $($(#[$doc])* pub $name: Localised<String>,)* }

        impl Messages {
            fn check(raw: &MessagesYaml, checker: &mut Checker<'_>) -> Self {
                Self { $($name: {
                    let text = checker.text(&raw.$name);
                    let required: &[&str] = &[$($placeholder),*];
                    for placeholder in required {
                        checker.require(&raw.$name, &text, placeholder);
                    }
                    text
                },)* }
            }
        }
    };
}

messages! {
    /// Greets and invites a question.
    welcome [],
    /// What is kept, for how long; shown at first use.
    privacy ["{days}"],
    /// Stands above two or three candidates.
    clarify [],
    /// Stands above the several things that one message asks.
    several [],
    /// What was asked is taken back.
    cancelled [],
    /// The choice under the candidates when none is meant.
    none_of_these [],
    /// Nothing in the knowledge fits: says so and whom to contact.
    fallback [],
    /// Said in the language just chosen.
    language_set [],
    /// Stands above the commands.
    help [],
    /// The same, after a command that there is not.
    unknown_command [],
    /// Stands above the languages.
    choose_language [],
    /// The person left.
    left [],
    /// Asks before everything is deleted.
    erase_ask [],
    /// The choice to delete.
    erase_yes [],
    /// The choice not to.
    erase_no [],
    /// Everything was deleted.
    erased [],
    /// It must be kept for now.
    erase_held [],
    /// Nothing was.
    not_erased [],
    /// A choice that is not offered any more.
    lapsed [],
    /// Something that is no text.
    unreadable [],
    /// A fault of the program's; operators find it by its reference.
    apology ["{reference}"],
    /// A message held a number or a password, and is removed.
    removal [],
    /// The button under an answer that helped.
    helpful [],
    /// The button under one that did not.
    unhelpful [],
    /// Said to who pressed either.
    vote_thanks [],
    /// A personal request in a group.
    group_private ["{url}"],
    /// A question in a group that has no sure answer.
    group_unanswered ["{url}"],
    /// Called in a group without a question.
    group_help [],
    /// What the command for help does, in a menu.
    command_help [],
    /// What the command for the language does.
    command_language [],
    /// What the command to leave does.
    command_leave [],
    /// What the command to delete does.
    command_erase [],
    /// What the command to ask in a group does.
    command_ask [],
    /// Asks for a proof, above the button that leads to the page.
    prove ["{what}", "{minutes}"],
    /// The button that leads to the page.
    prove_button [],
    /// The choice to have another link.
    prove_again [],
    /// Says to a bound chat that a code goes out, above the button.
    prove_bound ["{what}", "{last4}"],
    /// Says that it can be typed here too.
    prove_typed [],
    /// Says that the code can be typed here too.
    prove_typed_code [],
    /// The choice to be known as staff.
    as_staff [],
    /// The choice to be known as a supplier.
    as_supplier [],
    /// Asks staff for the number, typed.
    type_card [],
    /// Asks a supplier for the number, typed.
    type_company [],
    /// The number has not the form of one.
    number_malformed [],
    /// Says the same for every number.
    code_sent ["{minutes}"],
    /// A wrong code.
    code_wrong ["{left}"],
    /// An old code.
    code_expired [],
    /// Too many wrong codes.
    code_locked [],
    /// The proof came back.
    proved ["{last4}"],
    /// A proof that was not this chat's, or is too old.
    proof_refused [],
    /// The chat is bound from now on.
    chat_bound ["{days}"],
    /// The chat is not bound any more.
    chat_unbound [],
    /// The portal does not answer; nothing was done.
    portal_down [],
    /// The choice to try again.
    try_again [],
    /// The portal's record changed since the proof.
    person_gone [],
    /// The portal has no address.
    no_address [],
    /// Documents are for staff.
    staff_only [],
    /// Which payslip.
    choose_month ["{first}", "{last}"],
    /// Which annual statement.
    choose_year [],
    /// A payslip that there is not.
    no_such_month ["{what}", "{first}", "{last}"],
    /// An annual statement that there is not.
    no_such_year ["{what}"],
    /// There are none at all.
    no_documents [],
    /// A link to a document.
    link_ready ["{what}", "{minutes}"],
    /// The button that leads to a document.
    link_button ["{what}"],
    /// A link was opened.
    link_opened ["{what}", "{time}"],
    /// A spent link was pressed again.
    link_again ["{what}", "{time}"],
    /// Something is being asked of the portal.
    errand_begun [],
    /// It was asked of the portal too often.
    errand_too_many [],
    /// The portal mails it.
    reset_by_portal ["{address}"],
    /// We have mailed it.
    reset_by_us ["{address}"],
    /// Stands for an address that cannot be shown.
    registered_address [],
    /// The portal mails it.
    activation_by_portal ["{address}"],
    /// We have mailed it.
    activation_by_us ["{address}"],
    /// The mail is on its way.
    mailing [],
    /// The mail could not be sent.
    mail_failed ["{number}"],
    /// The portal did not answer.
    errand_unsure ["{number}"],
    /// Nothing was asked of the portal.
    errand_not_run [],
    /// No code goes out.
    code_withheld [],
    /// The portal refused for no reason that we know.
    errand_refused ["{number}"],
    /// Reset without an account.
    no_account [],
    /// Reset of an account that was never activated.
    account_pending [],
    /// Registration of an account that is active.
    account_active [],
    /// Registration of somebody who is not in Modul PY.
    not_in_payroll [],
    /// Asks for a number, for an officer.
    manual_ask ["{what}"],
    /// The button that leads to the page.
    manual_button [],
    /// An officer has it now.
    manual_taken ["{number}"],
    /// The status of an open ticket.
    ticket_open ["{number}", "{what}"],
    /// The status of a settled ticket.
    ticket_resolved ["{number}", "{what}"],
    /// A ticket was settled.
    ticket_settled ["{number}"],
    /// There is no ticket.
    ticket_none [],
    /// What a ticket is about that was opened by "not me".
    topic_disavowed [],
    /// Where the person is known.
    sessions ["{bindings}", "{web}"],
    /// No proof is made here.
    sessions_none [],
    /// The choice to end them.
    sessions_end [],
    /// All were ended.
    sessions_ended [],
    /// What the command for sessions does.
    command_sessions [],
    /// What a proof for the sessions is for.
    sessions_label [],
    /// Stands where something was shown under a proof that ended.
    hidden [],
    /// What needs a proof, where none can be given.
    personal_elsewhere [],
    /// A channel, in a mail.
    channel_web [],
    /// A channel, in a mail.
    channel_telegram [],
    /// The title of a page of a spent link.
    notice_gone_title [],
    /// The page of a spent link.
    notice_gone [],
    /// The title of a page when the portal is down.
    notice_down_title [],
    /// The page when the portal is down.
    notice_down [],
    /// The title of a page when the press was none.
    notice_refused_title [],
    /// The page when the press was none.
    notice_refused [],
    /// The title of the page after "not me".
    notice_disavowed_title [],
    /// The page after "not me".
    notice_disavowed [],
    /// The subject of a mail with a code.
    mail_code_subject [],
    /// Stands above the code in its mail.
    mail_code_head [],
    /// Stands below the code in its mail.
    mail_code ["{minutes}", "{what}", "{channel}", "{time}"],
    /// The subject of a mail with a link to reset a password.
    mail_reset_subject [],
    /// A mail with a link to reset a password.
    mail_reset ["{url}", "{until}"],
    /// The subject of a mail with a link to activate an account.
    mail_activation_subject [],
    /// A mail with a link to activate an account.
    mail_activation ["{url}", "{until}"],
    /// The subject of a mail about a bound chat.
    mail_bound_subject [],
    /// A mail about a bound chat.
    mail_bound ["{channel}", "{time}"],
    /// The subject of a mail about a chat that is not bound any more.
    mail_unbound_subject [],
    /// A mail about a chat that is not bound any more.
    mail_unbound [],
    /// The subject of a mail about somebody who tries codes.
    mail_attempts_subject [],
    /// A mail about somebody who tries codes.
    mail_attempts [],
    /// Stands under every mail to a person.
    mail_person_foot ["{url}"],
    /// The subject of a mail about a task.
    mail_task_subject ["{number}"],
    /// A mail about a task.
    mail_task ["{number}", "{what}"],
    /// The subject of the daily mail about the record.
    mail_anchor_subject ["{seq}"],
    /// The daily mail about the record.
    mail_anchor ["{anchor}", "{time}"],
    /// Several questions in a row that nothing answers: offers an officer.
    fallback_again [],
    /// An answer did not help: offers an officer.
    unhelpful_offer [],
    /// Asks what a ticket is about.
    handoff_matter [],
    /// A matter: procedures of the system.
    matter_procedure [],
    /// A matter: technical problems of the system.
    matter_technical [],
    /// A matter: the portal.
    matter_portal [],
    /// A matter: wrong data on a payslip.
    matter_payslip [],
    /// A matter: anything else.
    matter_other [],
    /// Asks for the department.
    handoff_department [],
    /// Asks for the problem.
    handoff_problem [],
    /// The choice not to answer.
    handoff_skip [],
    /// The choice to open the ticket with what is known.
    handoff_send [],
    /// The choice to hand nothing over.
    handoff_cancel [],
    /// Nothing was handed over.
    handoff_cancelled [],
    /// The choice to go on although the payroll section comes first.
    handoff_after_payroll [],
    /// The choice to open another ticket.
    handoff_another [],
    /// There is an open ticket already.
    handoff_open_already ["{number}"],
    /// Too many tickets were opened in this chat of late.
    handoff_too_many [],
    /// A ticket was opened.
    handoff_done ["{number}", "{office}", "{when}"],
    /// The choice to take a ticket back.
    handoff_undo [],
    /// The IT unit.
    office_teknikal [],
    /// The procedures section.
    office_naziran [],
    /// The helpdesk.
    office_helpdesk [],
    /// When an answer can be expected, in office hours.
    when_open ["{acknowledge}", "{answer}"],
    /// When an answer can be expected, out of hours.
    when_closed ["{opening}", "{acknowledge}", "{answer}"],
    /// When an answer can be expected, where the hours are not stated.
    when_unknown ["{acknowledge}", "{answer}"],
    /// Says that the hours are samples.
    when_sample [],
    /// Asks whether a message is for the open ticket.
    ticket_for ["{number}"],
    /// The choice to add a message to the ticket.
    ticket_add [],
    /// The choice to ask the bot instead.
    ticket_ask [],
    /// A message was added to a ticket.
    ticket_added ["{number}"],
    /// A message opened a settled ticket again.
    ticket_reopened ["{number}"],
    /// The choice that a message was not about the ticket.
    ticket_other [],
    /// The choice to open a settled ticket again.
    ticket_reopen [],
    /// A ticket stays settled.
    ticket_not_meant [],
    /// A ticket was taken back.
    ticket_cancelled ["{number}"],
    /// A person goes on with a ticket that an officer opened for them.
    ticket_claimed ["{number}"],
    /// Nobody has taken a ticket yet.
    ticket_untaken ["{number}"],
    /// There is no such ticket, or it is not this person's.
    ticket_unknown ["{number}"],
    /// An officer works on a ticket.
    ticket_taken ["{number}", "{what}", "{answer}"],
    /// A ticket waits for the person.
    ticket_pending ["{number}", "{what}"],
    /// A ticket is closed.
    ticket_closed ["{number}", "{what}"],
    /// An officer closed a ticket.
    ticket_was_closed ["{number}"],
    /// Stands in the transcript for a picture.
    picture_sent [],
    /// A picture came while a ticket is prepared.
    picture_with_ticket [],
    /// A picture goes to the open ticket.
    picture_added ["{number}"],
    /// A picture came and there is no ticket: offers an officer.
    picture_kept [],
    /// As many pictures as may be were sent.
    picture_too_many ["{day}", "{ticket}"],
    /// A picture has too many bytes or pixels.
    picture_too_large [],
    /// What was sent is neither JPEG nor PNG.
    picture_unsupported [],
    /// A picture cannot be read to its end.
    picture_damaged [],
    /// A picture could not be had.
    picture_lost [],
    /// An officer settled a ticket.
    ticket_was_resolved ["{number}"],
    /// An officer holds the chat: the bot is silent.
    officer_joined ["{name}"],
    /// The bot answers again.
    officer_left [],
    /// Subject of the mail that an officer has answered.
    mail_answered_subject ["{number}"],
    /// The mail that an officer has answered.
    mail_answered ["{number}"],
    /// Subject of the mail that a ticket is overdue.
    mail_overdue_subject ["{number}"],
    /// The mail that a ticket is overdue.
    mail_overdue ["{number}", "{what}"],
    /// Subject of the mail that nobody has taken a ticket.
    mail_untaken_subject ["{number}"],
    /// The mail that nobody has taken a ticket.
    mail_untaken ["{number}", "{what}"],
    /// A system does not work.
    trouble_down ["{system}", "{since}"],
    /// A system is being worked on.
    trouble_maintenance ["{system}", "{since}"],
    /// The helpdesk says so.
    trouble_confirmed [],
    /// The fault is not at the person's own office.
    trouble_not_yours [],
    /// What was asked for cannot be done while the portal does not work.
    trouble_action [],
    /// A system works again.
    trouble_over ["{system}"],
    /// The choice to be told when it works again.
    tell_over [],
    /// The person will be told.
    tell_over_noted [],
    /// What the command to get announcements does.
    command_subscribe [],
    /// What the command to get no more announcements does.
    command_unsubscribe [],
    /// The choice to get announcements.
    announce_on [],
    /// The choice to get no more.
    announce_off [],
    /// The chat gets announcements from now on.
    announce_on_done [],
    /// The chat gets no more announcements.
    announce_off_done [],
    /// Stands under an announcement.
    announcement_foot [],
    /// What the ticket of an incident of Sistem iSPEKS is about.
    topic_sistem_down [],
    /// What the ticket of an incident of Portal iSPEKS is about.
    topic_portal_down [],
    /// The note on an incident's ticket.
    incident_note ["{people}", "{departments}", "{networks}"],
    /// The note that an incident was confirmed.
    incident_confirmed [],
    /// The note that an incident was dismissed.
    incident_dismissed [],
    /// The note that an incident was closed.
    incident_closed [],
    /// Subject of the mail that an incident has to be confirmed.
    mail_incident_subject ["{number}"],
    /// The mail that an incident has to be confirmed.
    mail_incident ["{number}", "{what}"],
}

impl Messages {
    /// Parses and checks the file.
    pub fn parse(file: &FileText) -> Result<Self, Vec<Problem>> {
        let raw: MessagesFile = source::parse(file).map_err(|problem| vec![problem])?;
        let mut checker = Checker::new(&file.shown);
        checker.version(raw.version.as_ref());
        let messages = Self::check(&raw.messages, &mut checker);
        checker.finish(messages)
    }
}

/// Puts `values` into the places of a sentence that name them; whatever stands in a value stays as it is.
pub fn fill(sentence: &Localised<String>, language: Language, values: &[(&str, &str)]) -> String {
    super::answer::fill(sentence.get(language), |name| {
        values
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}
