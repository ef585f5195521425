//! Who may do what in the console: one table, from which the code and its test both read. Refuses whatever the table
//! does not name.
//!
//! A role says what kind of thing somebody may do. Whether they may do it to *this* ticket, or to a change that they
//! proposed themselves, is asked where that thing is.

use Role::{Admin, Auditor, Editor, It, Officer, Supervisor};

/// What somebody is in the console; one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Answers people and works on tickets.
    Officer,
    /// Works on tickets about the systems, and needs nobody's identity number for that.
    It,
    /// Keeps the knowledge, and sees no person.
    Editor,
    /// Leads the officers and answers for them; neither makes accounts nor reads the book that watches them.
    Supervisor,
    /// Reads what was done, and changes nothing.
    Auditor,
    /// Keeps accounts and the calendar, and sees no person.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] = [Officer, It, Editor, Supervisor, Auditor, Admin];

    /// As it is kept and typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Officer => "officer",
            It => "it",
            Editor => "editor",
            Supervisor => "supervisor",
            Auditor => "auditor",
            Admin => "admin",
        }
    }

    /// Reads a role as it is kept; none if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether this role may do something: only if the table says so.
    pub fn may(self, permission: Permission) -> bool {
        let mut rows = ALLOWED.iter();
        let row = rows.find(|(named, _)| *named == permission);
        row.is_some_and(|(_, roles)| roles.contains(&self))
    }
}

/// Something that not everybody in the console may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See which tickets there are. Those who work on tickets, and the auditor, who counts them.
    ViewQueue,
    /// See a ticket's course, its notes and its masked details. As the queue.
    ViewTicket,
    /// Read what was said in the chat. Only those who answer it: the auditor needs to know that, not what.
    ViewTranscript,
    /// Reply, note, take, hand back, assign to oneself, set the status, move to another queue.
    WorkTicket,
    /// Give a ticket to somebody else. Whoever answers for the load of all.
    AssignOthers,
    /// Make one ticket of two. It shows one person's words in another's ticket, and is not easily undone.
    MergeTickets,
    /// Open a ticket for somebody who called or came. Whoever may then work on it.
    OpenTicket,
    /// See a sealed identity number, with a reason. Those who must find the person; a broken system has no number.
    UnmaskDetails,
    /// Change the replies that all officers send. They speak for the office, as the knowledge does.
    ManageCanned,
    /// See counts and times, in which there is no person. Whoever leads, keeps the knowledge, or examines.
    ViewReports,
    /// Take away as a file what one may see as a report or a queue. What has left is watched by nobody.
    ExportCsv,
    /// See who unmasked what and why. Whoever answers for it, and whoever examines; not those it is about.
    ViewUnmasked,
    /// See unanswered questions and propose an answer. Those who know the questions, and those who word answers.
    ProposeKnowledge,
    /// Put a proposal of somebody else live. Those who answer for the wording; nobody for their own.
    ApproveKnowledge,
    /// Take the knowledge back to a former state. A wrong answer must go at once, so it needs one person only.
    RollBackKnowledge,
    /// Confirm, dismiss or close an incident, and announce something: it speaks for the office to everybody at once.
    ManageIncidents,
    /// Change holidays and office hours. Due times hang on them: no officer moves their own.
    EditCalendar,
    /// Read the audit. Only the auditor: nobody reads the book who could have cause to mind what it says.
    ViewAudit,
    /// File what a person asks about their data, and take the copy. Whoever answers persons, who stand before them.
    FileDataRequest,
    /// Approve it, and place and lift holds. Whoever answers for it; nobody for what they filed themselves.
    DecideDataRequest,
    /// Make, change and disable accounts. Only the admin, who in turn sees nothing worth an account.
    ManageAgents,
}

/// Who may do what; what is not here nobody may.
pub const ALLOWED: [(Permission, &[Role]); 21] = [
    (Permission::ViewQueue, &[Officer, It, Supervisor, Auditor]),
    (Permission::ViewTicket, &[Officer, It, Supervisor, Auditor]),
    (Permission::ViewTranscript, &[Officer, It, Supervisor]),
    (Permission::WorkTicket, &[Officer, It, Supervisor]),
    (Permission::AssignOthers, &[Supervisor]),
    (Permission::MergeTickets, &[Supervisor]),
    (Permission::OpenTicket, &[Officer, It, Supervisor]),
    (Permission::UnmaskDetails, &[Officer, Supervisor]),
    (Permission::ManageCanned, &[Editor, Supervisor]),
    (Permission::ViewReports, &[Editor, Supervisor, Auditor]),
    (Permission::ExportCsv, &[Supervisor, Auditor]),
    (Permission::ViewUnmasked, &[Supervisor, Auditor]),
    (
        Permission::ProposeKnowledge,
        &[Officer, It, Editor, Supervisor],
    ),
    (Permission::ApproveKnowledge, &[Editor, Supervisor]),
    (Permission::RollBackKnowledge, &[Editor, Supervisor]),
    (Permission::ManageIncidents, &[Supervisor]),
    (Permission::EditCalendar, &[Supervisor, Admin]),
    (Permission::ViewAudit, &[Auditor]),
    (Permission::FileDataRequest, &[Officer, Supervisor]),
    (Permission::DecideDataRequest, &[Supervisor]),
    (Permission::ManageAgents, &[Admin]),
];

#[cfg(test)]
mod tests {
    use super::Permission::*;
    use super::*;

    /// Every permission, counted by the compiler: a new one does not build before it is here.
    fn position(permission: Permission) -> usize {
        match permission {
            ViewQueue => 0,
            ViewTicket => 1,
            ViewTranscript => 2,
            WorkTicket => 3,
            AssignOthers => 4,
            MergeTickets => 5,
            OpenTicket => 6,
            UnmaskDetails => 7,
            ManageCanned => 8,
            ViewReports => 9,
            ExportCsv => 10,
            ViewUnmasked => 11,
            ProposeKnowledge => 12,
            ApproveKnowledge => 13,
            RollBackKnowledge => 14,
            ManageIncidents => 15,
            EditCalendar => 16,
            ViewAudit => 17,
            FileDataRequest => 18,
            DecideDataRequest => 19,
            ManageAgents => 20,
        }
    }

    fn allowed(role: Role) -> Vec<Permission> {
        let permissions = ALLOWED.iter().map(|(permission, _)| *permission);
        permissions
            .filter(|permission| role.may(*permission))
            .collect()
    }

    #[test]
    fn the_table_names_every_permission_exactly_once() {
        let named: Vec<usize> = ALLOWED
            .iter()
            .map(|(permission, _)| position(*permission))
            .collect();
        assert_eq!(named, (0..21).collect::<Vec<_>>());
    }

    #[test]
    fn every_permission_has_somebody_and_nobody_twice() {
        for (permission, roles) in ALLOWED {
            let once = |role: &Role| roles.iter().filter(|other| *other == role).count() == 1;
            assert!(
                !roles.is_empty() && roles.iter().all(once),
                "{permission:?}"
            );
        }
    }

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        for wrong in ["", "Admin", "admin ", "viewer", "root"] {
            assert_eq!(Role::parse(wrong), None);
        }
    }

    #[test]
    fn an_auditor_reads_and_changes_nothing() {
        assert_eq!(
            allowed(Auditor),
            [
                ViewQueue,
                ViewTicket,
                ViewReports,
                ExportCsv,
                ViewUnmasked,
                ViewAudit
            ]
        );
    }

    #[test]
    fn an_admin_keeps_accounts_and_the_calendar_and_sees_no_person() {
        assert_eq!(allowed(Admin), [EditCalendar, ManageAgents]);
    }

    #[test]
    fn an_editor_keeps_the_knowledge_and_sees_no_person() {
        assert_eq!(
            allowed(Editor),
            [
                ManageCanned,
                ViewReports,
                ProposeKnowledge,
                ApproveKnowledge,
                RollBackKnowledge
            ]
        );
    }

    #[test]
    fn a_supervisor_may_do_all_but_make_accounts_and_read_the_audit() {
        let missing = ALLOWED
            .iter()
            .filter(|(permission, _)| !Supervisor.may(*permission));
        let missing: Vec<Permission> = missing.map(|(permission, _)| *permission).collect();
        assert_eq!(missing, [ViewAudit, ManageAgents]);
    }

    #[test]
    fn ac_58_only_officers_and_their_supervisors_unmask_and_none_of_them_reads_the_audit() {
        for role in Role::ALL {
            assert_eq!(
                role.may(UnmaskDetails),
                matches!(role, Officer | Supervisor)
            );
            assert!(!(role.may(UnmaskDetails) && role.may(ViewAudit)));
            assert!(!(role.may(ManageAgents) && role.may(ViewTranscript)));
        }
    }
}
