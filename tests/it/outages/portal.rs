//! The portal is away for an hour.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tanya::agent::role::Role;

use super::{
    Desk, LASTS, Regulars, SECOND, Steps, a_minute_passes, came_once, did_come, drained, is_whole,
    name, said_by_the_bot,
};
use crate::mail::{claims_after, last_seq, said_after, settled};
use crate::portal_faults::{Door, Mood, ordinary, portal_mails};
use crate::support::proof::Sample;
use crate::support::{Chat, Database, TestApp};

/// Staff with an address: first those whom the portal serves in every way, then the others.
async fn people(app: &TestApp, door: &Door) -> Vec<Sample> {
    let people = app.client.get(format!("{}/demo/people.json", door.url));
    let people: Vec<Sample> = people.send().await.unwrap().json().await.unwrap();
    let mut first = ordinary(&people);
    let known = first.len();
    let others = people.into_iter().filter(|it| {
        let staff = it.kind == "staff" && it.active && it.email.is_some();
        staff && first.iter().all(|one| one.id_no != it.id_no)
    });
    let others: Vec<Sample> = others.collect();
    first.extend(others);
    assert!(known >= 7, "those who prove who they are");
    first
}

async fn set(app: &TestApp, door: &Door, faults: Value) {
    let put = app.client.put(format!("{}/faults", door.url)).json(&faults);
    assert!(put.send().await.unwrap().status().is_success());
}

/// Somebody who has proved who they are.
async fn proved<'a>(app: &'a TestApp, person: &Sample) -> Chat<'a> {
    let chat = app.begin().await;
    chat.prove("slip", person).await;
    chat.until_said("Slip gaji yang ada").await;
    chat
}

/// Somebody whose matter is known hands it over; the ticket's number.
async fn hand_over(chat: &Chat<'_>) -> String {
    for words in [
        "nak cakap dengan pegawai",
        "JKR Machang",
        "penyata tidak boleh dibuka",
    ] {
        let replies = chat.say(words).await;
        let number = replies
            .iter()
            .find_map(|it| it["ticket"]["number"].as_str());
        if let Some(number) = number {
            return number.to_owned();
        }
    }
    panic!("no ticket: {:#?}", chat.messages(0).await);
}

async fn told(database: Database) {
    let door = Door::open().await;
    let app = door.app(database).await;
    app.until_office_hours();
    let siti = app.officer("siti", Role::Supervisor).await;
    let mut others = people(&app, &door).await.into_iter();
    let mut person = || others.next().expect("there are enough people");
    let under_way = others_by_portal(&mut person);
    let mut asking = Vec::new();
    for _ in 0..3 {
        asking.push(proved(&app, &person()).await);
    }
    // Their answers are mailed to the address on record, which the portal has.
    let mut gone = Vec::new();
    for _ in 0..3 {
        let person = person();
        let chat = proved(&app, &person).await;
        let number = hand_over(&chat).await;
        gone.push((chat, number, person));
    }
    let in_flight = proved(&app, &under_way).await;
    let (mut regulars, mut desk) = (Regulars::new(&app).await, Desk::default());
    settled(&app).await;

    // One reset is under way at that moment.
    door.fail(Mood::Busy, usize::MAX);
    let begun = last_seq(&in_flight).await;
    in_flight.say("/lupa").await;
    set(&app, &door, json!({"down": true})).await;
    let mut codes = Vec::new();
    for minute in 0..LASTS {
        regulars.ask().await;
        if let Some(chat) = asking.get(usize::try_from(minute).unwrap()) {
            let reply = chat.say("/lupa").await.remove(0);
            assert!(
                said_by_the_bot(&reply, "tiada apa-apa yang dilakukan"),
                "{reply}"
            );
        }
        if minute % 2 == 0 {
            desk.open(&app).await;
            desk.reply(&siti).await;
        }
        if minute % 20 == 10 {
            let (_, number, _) = &gone[usize::try_from(minute / 20).unwrap()];
            let fields = [("text", "Penyata telah dibaiki."), ("do", "send")];
            siti.does(number, "balas", &fields).await;
        }
        if minute % 4 == 0 {
            let person = person();
            let token = app.begin().await.ask_for("slip").await;
            let started = app.give_number(&token, "staff", &person.id_no).await;
            assert_eq!(started.status(), StatusCode::ACCEPTED);
            codes.push((minute, token, person));
        }
        if minute == 8 {
            // Before it is hidden with the proof.
            let told = said_after(&in_flight, begun, "tidak dapat memastikan").await;
            assert!(told["ticket"]["number"].is_string(), "{told}");
            assert_eq!(claims_after(&in_flight, begun).await, 0);
        }
        a_minute_passes(&app).await;
    }
    let before = app.inbox().await.len();

    let back = app.app.clock.now();
    door.heal();
    set(&app, &door, json!({})).await;
    let steps = Steps {
        by: 10 * SECOND,
        within: Duration::from_secs(3),
    };
    let took = drained(&app, back, &steps, || ()).await;

    let inbox = app.inbox().await;
    came_once(inbox.iter().map(|mail| &mail.message_id));
    let about = |number: &str, to: Option<&str>| {
        let mails = inbox.iter().filter(|mail| mail.subject.contains(number));
        let person =
            mails.filter(|mail| to.map_or(mail.to.ends_with("@localhost"), |to| mail.to == to));
        person.count()
    };
    for (_, number) in &desk.opened {
        assert!(about(number, None) >= 1, "{number}");
    }
    for (_, number, person) in &gone {
        assert_eq!(about(number, Some(person.email())), 1, "{number}");
    }
    assert_eq!(
        portal_mails(&app.client, &door.url, under_way.email()).await,
        0
    );
    for chat in &asking {
        assert_eq!(claims_after(chat, 0).await, 0);
    }
    let mut expired = 0;
    for (minute, token, person) in &codes {
        let came = app.codes_to(person.email()).await;
        let alive = did_come(*minute, came.len());
        if alive {
            let code = came.first().and_then(|mail| mail.code()).unwrap();
            assert_eq!(app.give_code(token, &code).await.status(), StatusCode::OK);
        }
        expired += usize::from(!alive);
    }
    // What was not done is done when it is asked for again.
    let again = app.begin().await;
    again.prove("lupa", &under_way).await;
    again.until_said("telah menerima permintaan").await;
    settled(&app).await;
    assert_eq!(
        portal_mails(&app.client, &door.url, under_way.email()).await,
        1
    );
    // The codes that expired, and the reset that an officer has.
    let tickets = desk.opened.len() + gone.len() + 1;
    is_whole(&app, tickets, expired + 1).await;
    eprintln!(
        "outage, portal, {}: {} questions, {} tickets, {} replies of officers, {} codes of which {expired} expired, \
         {} resets refused, 1 under way; {} mails went within {took} s",
        name(&app.database),
        regulars.asked,
        tickets,
        desk.replies.len() + gone.len(),
        codes.len(),
        asking.len(),
        inbox.len() - before,
    );
    drop((regulars, desk, asking, gone, in_flight, again, siti));
    app.stop().await;
}

/// Somebody whose password the portal itself mails.
fn others_by_portal(person: &mut impl FnMut() -> Sample) -> Sample {
    loop {
        let person = person();
        if person.delivery == "portal" {
            return person;
        }
    }
}

#[tokio::test]
async fn ac_103_a_portal_that_is_away_for_an_hour_delays_codes_and_does_nothing_twice() {
    for database in Database::both().await {
        told(database).await;
    }
}
