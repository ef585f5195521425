//! The mail server is away for an hour.

use std::time::Duration;

use reqwest::StatusCode;
use tanya::agent::role::Role;

use super::{
    CODE_LIVES, Desk, LASTS, MINUTE, Regulars, SECOND, Steps, a_minute_passes, came_once, did_come,
    drained, is_whole, name,
};
use crate::mail::{
    about, anchored, ask_for_code, claims_after, codes_to, last_seq, prove, said_after, settled,
    staff, until, with_mail,
};
use crate::support::mail_server::MailServer;
use crate::support::proof::Sample;
use crate::support::{Chat, Database, TestApp};

/// What may go out is what is usual.
const USUAL: [(&str, &str); 1] = [("TANYA_MAILS_PER_MINUTE", "60")];

/// People who have proved who they are, and for whom we mail the link to choose a password.
async fn proved<'a>(app: &'a TestApp, server: &MailServer) -> Vec<(Chat<'a>, Sample)> {
    let people = staff(app).await;
    let people = people.into_iter().filter(|it| {
        it.delivery == "helpdesk" && it.active && it.account == "active" && it.payroll == "py"
    });
    let mut chats = Vec::new();
    for person in people.take(3) {
        let chat = app.begin().await;
        prove(&chat, server, "slip", &person).await;
        chat.until_said("Slip gaji yang ada").await;
        chats.push((chat, person));
    }
    assert_eq!(chats.len(), 3);
    chats
}

/// Somebody asked for a code.
struct Asked {
    minute: i64,
    at: i64,
    token: String,
    person: Sample,
}

async fn told(database: Database) {
    let server = MailServer::start().await;
    let app = with_mail(database, &server, &USUAL).await;
    app.until_office_hours();
    let siti = app.officer("siti", Role::Supervisor).await;
    let resets = proved(&app, &server).await;
    let used: Vec<&str> = resets.iter().map(|(_, it)| it.id_no.as_str()).collect();
    let mut others = staff(&app)
        .await
        .into_iter()
        .filter(|it| it.active && it.account == "active" && !used.contains(&it.id_no.as_str()));
    let (mut regulars, mut desk) = (Regulars::new(&app).await, Desk::default());
    anchored(&server).await;
    settled(&app).await;
    let before = server.mails().len();

    server.pause().await;
    let mut since = Vec::new();
    for (chat, _) in &resets {
        let seq = last_seq(chat).await;
        chat.say("/lupa").await;
        said_after(chat, seq, "sedang menghantar e-mel itu").await;
        since.push(seq);
    }
    let mut codes = Vec::new();
    for minute in 0..LASTS {
        regulars.ask().await;
        desk.open(&app).await;
        if minute % 3 == 0 {
            desk.reply(&siti).await;
        }
        if minute % 4 == 0 {
            let person = others.next().expect("there are enough people");
            let token = ask_for_code(&app, &person).await;
            codes.push(Asked {
                minute,
                at: app.app.clock.now(),
                token,
                person,
            });
        }
        a_minute_passes(&app).await;
    }
    assert_eq!(server.mails().len(), before, "nothing can have come");
    for ((chat, _), seq) in resets.iter().zip(&since) {
        // The link died after half an hour: an officer has it, and nobody claims that a mail went.
        let told = said_after(chat, *seq, "tidak dapat dihantar").await;
        let number = told["ticket"]["number"].as_str().unwrap();
        assert!(told["text"].as_str().unwrap().contains(number), "{told}");
        assert_eq!(claims_after(chat, *seq).await, 0);
    }

    let back = app.app.clock.now();
    server.resume().await;
    let steps = Steps {
        by: 10 * SECOND,
        within: Duration::from_secs(3),
    };
    let took = drained(&app, back, &steps, || ()).await;

    let mails = server.mails().split_off(before);
    let ids: Vec<String> = mails.iter().map(|mail| mail.message_id()).collect();
    came_once(ids.iter());
    let subjects: Vec<String> = mails
        .iter()
        .map(|it| it.header("Subject").unwrap())
        .collect();
    let tasks = |number: &str| {
        let subject = format!("[{number}] Permintaan baharu");
        subjects.iter().filter(|it| it.contains(&subject)).count()
    };
    for (_, number) in &desk.opened {
        assert_eq!(tasks(number), 1, "{number}");
    }
    for ((chat, person), seq) in resets.iter().zip(&since) {
        let told = said_after(chat, *seq, "tidak dapat dihantar").await;
        assert_eq!(tasks(told["ticket"]["number"].as_str().unwrap()), 1);
        assert!(about(&server, person.email(), "Set semula").is_empty());
        assert_eq!(claims_after(chat, *seq).await, 0);
    }
    let mut expired = 0;
    for Asked {
        minute,
        at,
        token,
        person,
    } in &codes
    {
        let came = codes_to(&server, person.email());
        let alive = did_come(*minute, came.len());
        let code = came
            .first()
            .map_or_else(|| "00000000".to_owned(), |it| it.code().unwrap());
        let status = app.give_code(token, &code).await.status();
        // All the others had to go before it is tried.
        match alive && app.app.clock.now() < at + CODE_LIVES {
            true => assert_eq!(status, StatusCode::OK),
            false => assert!([410, 422].contains(&status.as_u16()), "{status}"),
        }
        expired += usize::from(!alive);
    }
    assert!(expired > 0 && expired < codes.len());
    let dead = expired + resets.len();
    is_whole(&app, desk.opened.len() + resets.len(), dead).await;
    eprintln!(
        "outage, mail server, {}: {} questions, {} tickets, {} replies of officers, {} codes of which {expired} expired, \
         {} resets that expired; {} mails went within {took} s",
        name(&app.database),
        regulars.asked,
        desk.opened.len(),
        desk.replies.len(),
        codes.len(),
        resets.len(),
        mails.len(),
    );
    assert!(took * SECOND <= 5 * MINUTE);
    drop((regulars, desk, resets, siti));
    app.stop().await;
}

#[tokio::test]
async fn ac_102_a_mail_server_that_is_away_for_an_hour_delays_mail_and_loses_none() {
    for database in Database::both().await {
        told(database).await;
    }
}

async fn tried_in_vain(database: Database) {
    let server = MailServer::start().await;
    let app = with_mail(database, &server, &[("TANYA_MAILS_PER_HOUR", "10")]).await;
    let mut desk = Desk::default();
    server.pause().await;
    desk.open(&app).await;
    let tried = "SELECT COUNT(*) FROM outbox WHERE done_at IS NULL AND attempts > 14";
    until("tried", async || {
        app.app.clock.advance(5 * SECOND);
        app.database.count(app.folder(), tried).await > 0
    })
    .await;
    let back = app.app.clock.now();
    server.resume().await;
    let steps = Steps {
        by: 10 * SECOND,
        within: Duration::from_secs(3),
    };
    drained(&app, back, &steps, || ()).await;
    let (_, number) = &desk.opened[0];
    let mails = about(&server, "teknikal@localhost", number);
    assert_eq!(mails.len(), 1);
    drop(desk);
    app.stop().await;
}

#[tokio::test]
async fn ac_25_tries_while_the_server_is_away_take_nothing_of_the_hours_budget() {
    for database in Database::both().await {
        tried_in_vain(database).await;
    }
}
