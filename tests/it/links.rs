//! Links to documents, and "this was not me": what opens a page by itself changes nothing; what a person presses counts
//! once.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::Connection;

use crate::on_both_databases;
use crate::support::proof::{InboxMail, Sample, TWIN, pressed, token_of};
use crate::support::{Chat, Database, TestApp, assert_problem};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const CHROME: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36";
const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15";

/// A response as a caller sees it, without what differs at random.
type Seen = (u16, BTreeMap<String, String>, String);

async fn seen(response: Response) -> Seen {
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers
        .filter(|(name, _)| !["date", "set-cookie", "x-request-id"].contains(&name.as_str()));
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let headers = headers.collect();
    (status, headers, response.text().await.unwrap())
}

/// A link to last month's payslip in a chat whose person is known.
async fn another_link(chat: &Chat<'_>) -> String {
    chat.until_said("Slip gaji yang ada").await;
    token_of(&chat.say("slip gaji bulan lepas").await[0])
}

/// A person who proved who they are in a new chat, and a link that they were given there.
async fn given<'a>(app: &'a TestApp, person: &Sample) -> (Chat<'a>, String) {
    let chat = app.begin().await;
    chat.prove("slip", person).await;
    let token = another_link(&chat).await;
    (chat, token)
}

/// What the record says of presses: how often which outcome.
async fn presses(app: &TestApp) -> BTreeMap<String, i64> {
    let url = app.database.url(app.folder());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT outcome, COUNT(*) FROM audit WHERE event = 'link.opened' GROUP BY outcome",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    rows.into_iter().collect()
}

/// How many messages of the bot hold these words.
async fn times_said(chat: &Chat<'_>, words: &str) -> usize {
    let messages = chat.messages(0).await;
    let texts = messages.iter().filter(|message| message["from"] == "bot");
    texts
        .filter(|message| message["text"].as_str().unwrap().contains(words))
        .count()
}

/// The same request with one header changed, or taken away.
fn with(headers: &HeaderMap, name: &'static str, value: Option<&str>) -> HeaderMap {
    let mut headers = headers.clone();
    match value {
        Some(value) => headers.insert(name, HeaderValue::from_str(value).unwrap()),
        None => headers.remove(name),
    };
    headers
}

/// Sends a form, or what pretends to be one.
async fn send(
    app: &TestApp,
    path: &str,
    kind: &str,
    body: String,
    headers: &HeaderMap,
) -> Response {
    let request = app.request(Method::POST, path).headers(headers.clone());
    let request = request.header("content-type", kind).body(body);
    request.send().await.unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The token of "this was not me" in a mail.
fn disavowal(app: &TestApp, mail: &InboxMail) -> String {
    let begins = format!("{}/bukan-saya#", app.app.public_url);
    let url = mail.link(&begins).expect("every mail to a person has it");
    url.strip_prefix(&begins).unwrap().to_owned()
}

/// Says "this was not me" as a person does: shows the page, presses the button.
async fn disavow(app: &TestApp, token: &str) -> Response {
    let cookie = app.page_cookie("/bukan-saya").await;
    let body = format!("token={token}");
    send(app, "/bukan-saya", FORM, body, &pressed(&cookie)).await
}

/// Code mails that were ever written down to be sent.
async fn codes_written(app: &TestApp) -> i64 {
    let statement = "SELECT COUNT(*) FROM outbox WHERE carrier = 'code'";
    app.database.count(app.folder(), statement).await
}

/// Whether a stranger who gives this number has a code mailed; what the stranger sees.
async fn start_as(app: &TestApp, id_no: &str) -> (bool, Seen) {
    let before = codes_written(app).await;
    let token = app.begin().await.ask_for("slip").await;
    let answer = seen(app.give_number(&token, "staff", id_no).await).await;
    (codes_written(app).await > before, answer)
}

on_both_databases! {
    async fn ac_41_what_opens_links_by_itself_spends_none(app: TestApp) {
        let (chat, token) = given(app, &app.zulkifli().await).await;
        let messages = chat.messages(0).await.len();
        let fetched = || async {
            let figures = app.figures().await;
            let mut lines = figures.lines();
            let count = lines.find_map(|line| line.strip_prefix("tanya_link_prefetch_total "));
            count.map_or(0.0, |count| count.parse::<f64>().unwrap())
        };
        let before = fetched().await;
        let paths = [
            "/l".to_owned(),
            format!("/l?token={token}"),
            format!("/l?token={}", "A".repeat(token.len())),
        ];
        let mut pages: BTreeMap<String, Seen> = BTreeMap::new();
        for round in 0..100 {
            for agent in [
                "TelegramBot (like TwitterBot)",
                "Mozilla/5.0 (compatible; Microsoft SafeLinks)",
                "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0 Safari/537.36",
            ] {
                for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                    let name = method.to_string();
                    let request = app.request(method, &paths[round % paths.len()]);
                    let page = seen(request.header("user-agent", agent).send().await.unwrap()).await;
                    assert!(!page.2.contains(&token));
                    assert_eq!(pages.entry(name).or_insert_with(|| page.clone()), &page);
                }
            }
        }
        let page = &pages["GET"];
        assert_eq!(page.0, 200);
        assert!(page.1["content-security-policy"].contains("frame-ancestors 'none'"));
        assert_eq!(page.1["cache-control"], "no-store");
        assert_eq!(page.1["referrer-policy"], "no-referrer");
        assert!(fetched().await - before >= 600.0, "what says that it is no person is counted");
        // Nothing happened to the link or in the chat, and a person's press works.
        assert_eq!(presses(app).await, BTreeMap::new());
        assert_eq!(chat.messages(0).await.len(), messages);
        assert_eq!(app.press(&token).await.status(), StatusCode::SEE_OTHER);
    }

    async fn ac_42_what_no_person_pressed_is_refused_and_the_link_stays(app: TestApp) {
        let (chat, token) = given(app, &app.zulkifli().await).await;
        let messages = chat.messages(0).await.len();
        let cookie = app.page_cookie("/l").await;
        let other = app.page_cookie("/l").await;
        let right = pressed(&cookie);
        let mixed = format!(
            "{}.{}",
            cookie.split_once('.').unwrap().0,
            other.split_once('.').unwrap().1
        );
        let chrome = with(&right, "user-agent", Some(CHROME));
        let refused = [
            with(&right, "cookie", None),
            with(&right, "cookie", Some("tanya-page=AAAA.BBBB")),
            with(&right, "cookie", Some("tanya-page=")),
            with(&right, "cookie", Some(&mixed)),
            with(&right, "cookie", Some(&cookie.replace("tanya-page", "page"))),
            with(&right, "sec-fetch-site", Some("cross-site")),
            with(&right, "sec-fetch-site", Some("same-site")),
            with(&right, "sec-fetch-site", Some("none")),
            with(&right, "sec-fetch-site", None),
            with(&right, "sec-fetch-mode", Some("cors")),
            with(&right, "sec-fetch-mode", Some("no-cors")),
            with(&right, "sec-fetch-user", None),
            with(&right, "sec-fetch-user", Some("?0")),
            with(&chrome, "sec-fetch-user", None),
        ];
        let mut pages = Vec::new();
        for headers in &refused {
            pages.push(seen(app.press_with(&token, headers).await).await);
        }
        for page in &pages {
            assert_eq!(page.0, 403);
            assert_eq!(page, &pages[0]);
            assert!(!page.2.contains(&token));
        }
        assert_eq!(chat.messages(0).await.len(), messages);
        let recorded = BTreeMap::from([("not-pressed".to_owned(), refused.len() as i64)]);
        assert_eq!(presses(app).await, recorded);
        // The link works as before; Safari never says whether a person pressed.
        let safari = with(&with(&right, "sec-fetch-user", None), "user-agent", Some(SAFARI));
        assert_eq!(app.press_with(&token, &safari).await.status(), StatusCode::SEE_OTHER);
    }

    async fn ac_43_a_token_is_in_no_place_that_is_kept_or_passed_on(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        let verify = chat.ask_for("slip").await;
        let secret = app.prove_on_page(&verify, &zulkifli).await;
        chat.bring_back(&secret).await;
        let link = another_link(&chat).await;
        let unused = another_link(&chat).await;
        let code_mail = app.codes_to(zulkifli.email()).await.remove(0);
        let disavowal = disavowal(app, &code_mail);
        let tokens = [&verify, &secret, &link, &unused, &disavowal, &chat.token];
        let page = app.get("/l").await;
        let cookie = app.page_cookie("/l").await;
        let mut answers = vec![page];
        answers.push(app.press_with(&link, &with(&pressed(&cookie), "cookie", None)).await);
        let opened = app.press_with(&link, &pressed(&cookie)).await;
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        assert_eq!(opened.headers()["referrer-policy"], "no-referrer");
        answers.push(opened);
        answers.push(app.press_with(&link, &pressed(&cookie)).await);
        for answer in answers {
            let said = format!("{:?}", answer.headers()) + &answer.text().await.unwrap();
            assert!(tokens.iter().all(|token| !said.contains(token.as_str())), "{said}");
        }
        let dump = app.database.dump(app.folder()).await;
        let figures = app.figures().await;
        assert!(dump.contains("slip-gaji") && figures.contains("tanya_audit_total"));
        for token in tokens {
            assert!(!dump.contains(token.as_str()), "a token is in the database");
            assert!(!figures.contains(token.as_str()), "a token is in the figures");
        }
    }

    async fn ac_44_a_second_press_opens_nothing_and_the_owner_is_told_five_times_at_most(app: TestApp) {
        let (chat, token) = given(app, &app.zulkifli().await).await;
        assert_eq!(app.press(&token).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(times_said(&chat, "telah dibuka pada").await, 1);
        let mut pages = Vec::new();
        for press in 1..=8 {
            pages.push(seen(app.press(&token).await).await);
            let told = times_said(&chat, "Ada cubaan membuka semula").await;
            assert_eq!(told, press.min(5));
        }
        for page in &pages {
            assert_eq!((page.0, page), (410, &pages[0]));
        }
        let recorded = [("again".to_owned(), 8), ("opened".to_owned(), 1)];
        assert_eq!(presses(app).await, BTreeMap::from(recorded));
        assert_eq!(times_said(&chat, "telah dibuka pada").await, 1);
    }

    async fn ac_45_every_link_that_is_not_alive_gets_the_same_page(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let second = app.second().await;
        let chat = app.begin().await;
        let verify = chat.ask_for("slip").await;
        let secret = app.prove_on_page(&verify, &zulkifli).await;
        chat.bring_back(&secret).await;
        let alive = another_link(&chat).await;
        let spent = another_link(&chat).await;
        app.press(&spent).await;
        // Somebody else's, who left.
        let (other_chat, others) = given(app, &second).await;
        other_chat.say("/keluar").await;
        let changed = |at: usize| {
            let mut text = alive.clone();
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            text.replace_range(at..=at, other);
            text
        };
        let dead = [
            changed(0),
            changed(20),
            changed(alive.len() - 1),
            alive[1..].to_owned(),
            format!("{alive}A"),
            alive.to_lowercase(),
            format!("{alive}%00"),
            "A".repeat(alive.len()),
            "A".repeat(10_000),
            String::new(),
            "..%2F..%2Fetc".to_owned(),
            verify,
            secret,
            spent,
            others,
            disavowal(app, &app.codes_to(zulkifli.email()).await[0]),
        ];
        let gone = seen(app.press(&dead[0]).await).await;
        assert_eq!(gone.0, 410);
        for token in &dead {
            assert_eq!(seen(app.press(token).await).await, gone, "{token}");
        }
        // The one that is alive opens its own month.
        let opened = app.press(&alive).await;
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        // One that is too old, of a proof that is not.
        let expired = another_link(&chat).await;
        app.app.clock.advance(9 * MINUTE);
        chat.say("terima kasih").await;
        app.app.clock.advance(MINUTE + 1);
        assert_eq!(seen(app.press(&expired).await).await, gone);
        let sessions = chat.messages(0).await;
        let hidden = sessions.iter().all(|message| !message["text"].as_str().unwrap().contains("Slip gaji yang ada"));
        assert!(!hidden, "the proof is alive: it was the link's own age");
    }

    async fn ac_45_a_link_lives_for_ten_minutes_and_opens_its_own_month(app: TestApp) {
        let chat = app.begin().await;
        chat.prove("slip", &app.zulkifli().await).await;
        chat.until_said("Slip gaji yang ada").await;
        let mut tokens = Vec::new();
        for place in [1, 3] {
            let offer = chat.say("/slip").await.remove(0);
            let value = offer["choices"][place]["value"].as_str().unwrap().to_owned();
            let link = chat.choose(&value).await.remove(0);
            tokens.push((token_of(&link), value.rsplit_once(':').unwrap().1.to_owned()));
        }
        app.app.clock.advance(9 * MINUTE);
        chat.say("terima kasih").await;
        app.app.clock.advance(MINUTE - 10_000);
        for (token, month) in tokens {
            let opened = app.press(&token).await;
            assert_eq!(opened.status(), StatusCode::SEE_OTHER);
            let at = opened.headers()["location"].to_str().unwrap().to_owned();
            let document = app.client.get(at).send().await.unwrap();
            let name = document.headers()["content-disposition"].to_str().unwrap();
            assert!(name.contains(&month), "{name} is not of {month}");
        }
    }

    async fn ac_46_a_link_of_the_portals_to_another_site_is_not_followed(app: TestApp) {
        let (chat, token) = given(app, &app.zulkifli().await).await;
        app.faults(json!({"foreign_link": true})).await;
        let answer = app.press(&token).await;
        assert!([410, 503].contains(&answer.status().as_u16()), "{}", answer.status());
        assert!(!answer.headers().contains_key("location"));
        assert!(!answer.text().await.unwrap().contains("evil.example"));
        assert_eq!(times_said(&chat, "telah dibuka pada").await, 0);
        let messages = chat.messages(0).await;
        assert!(!format!("{messages:?}").contains("evil.example"));
    }

    async fn a_portal_that_fails_at_the_press_costs_nothing(app: TestApp) {
        let (chat, first) = given(app, &app.zulkifli().await).await;
        let mut token = first;
        for fault in ["down", "error", "html", "garbage"] {
            app.faults(json!({fault: true})).await;
            let answer = app.press(&token).await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{fault}");
            assert!(answer.text().await.unwrap().contains("belum digunakan"));
            app.faults(json!({})).await;
            assert_eq!(app.press(&token).await.status(), StatusCode::SEE_OTHER, "{fault}");
            token = another_link(&chat).await;
        }
        assert_eq!(times_said(&chat, "telah dibuka pada").await, 4);
        assert_eq!(times_said(&chat, "Ada cubaan").await, 0);
    }

    async fn a_page_that_says_that_a_link_is_not_used_up_is_right(app: TestApp) {
        let (chat, first) = given(app, &app.zulkifli().await).await;
        let mut token = first;
        for fault in ["foreign_link", "lies"] {
            app.faults(json!({fault: true})).await;
            let answer = app.press(&token).await;
            let unused = answer.text().await.unwrap().contains("belum digunakan");
            app.faults(json!({})).await;
            let again = app.press(&token).await.status();
            assert_eq!(unused, again == StatusCode::SEE_OTHER, "{fault}: then {again}");
            token = another_link(&chat).await;
        }
    }

    async fn ac_27_who_left_or_has_another_mailbox_opens_nothing_and_is_known_no_more(app: TestApp) {
        for (person, change) in [
            (app.zulkifli().await, json!({"active": false})),
            (app.second().await, json!({"email": "lain@mel.example"})),
        ] {
            let (chat, token) = given(app, &person).await;
            let (elsewhere, other) = given(app, &person).await;
            app.change_person(&person.reference, change).await;
            let gone = app.press(&token).await;
            assert_eq!(gone.status(), StatusCode::GONE);
            assert!(!gone.headers().contains_key("location"));
            // Everything that this person had is over, in the other chat too.
            for chat in [&chat, &elsewhere] {
                let messages = chat.messages(0).await;
                assert!(messages.iter().all(|it| it["kind"] != "link"), "{messages:?}");
                assert_eq!(times_said(chat, "Slip gaji yang ada").await, 0);
                assert_eq!(chat.say("/sesi").await[0]["kind"], "prompt");
            }
            assert_eq!(app.press(&other).await.status(), StatusCode::GONE);
        }
        let ended = "SELECT COUNT(*) FROM audit WHERE event = 'sessions.ended' AND outcome = 'record-changed'";
        assert_eq!(app.database.count(app.folder(), ended).await, 2);
    }

    async fn ac_44_of_a_hundred_presses_at_once_one_opens_the_document(app: TestApp) {
        let (chat, token) = given(app, &app.zulkifli().await).await;
        let cookie = app.page_cookie("/l").await;
        let headers = pressed(&cookie);
        let presses_made = (0..100).map(|_| app.press_with(&token, &headers));
        let answers = futures_util::future::join_all(presses_made).await;
        let with_status = |status: StatusCode| answers.iter().filter(|it| it.status() == status).count();
        assert_eq!(with_status(StatusCode::SEE_OTHER), 1);
        assert_eq!(with_status(StatusCode::GONE), 99);
        assert_eq!(times_said(&chat, "telah dibuka pada").await, 1);
        assert!(times_said(&chat, "Ada cubaan membuka semula").await <= 5);
        let recorded = presses(app).await;
        assert_eq!(recorded["opened"], 1);
        assert_eq!(recorded.values().sum::<i64>(), 100, "{recorded:?}");
        let proofs = "SELECT COUNT(*) FROM document_link WHERE spent_at IS NOT NULL";
        assert_eq!(app.database.count(app.folder(), proofs).await, 1);
    }

    async fn ac_65_only_a_form_by_post_opens_a_document(app: TestApp) {
        let (chat, token) = given(app, &app.zulkifli().await).await;
        let messages = chat.messages(0).await.len();
        let headers = pressed(&app.page_cookie("/l").await);
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH] {
            let path = format!("/l/open?token={token}&_method=POST");
            let request = app.request(method.clone(), &path).headers(headers.clone());
            let request = request.header("x-http-method-override", "POST");
            assert_eq!(request.send().await.unwrap().status(), 405, "{method}");
        }
        let multipart = format!("--x\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n--x--\r\n");
        for (kind, body) in [
            ("text/plain", format!("token={token}")),
            ("application/json", json!({"token": token}).to_string()),
            ("multipart/form-data; boundary=x", multipart),
        ] {
            let answer = send(app, "/l/open", kind, body, &headers).await;
            assert_problem(answer, 415, "unsupported_type").await;
        }
        for body in ["", "x=1", &format!("token={token}&more=1"), &format!("token={token}&token={token}")] {
            let answer = send(app, "/l/open", FORM, body.to_owned(), &headers).await;
            assert_problem(answer, 400, "invalid_body").await;
        }
        assert_eq!(presses(app).await, BTreeMap::new());
        assert_eq!(chat.messages(0).await.len(), messages);
        assert_eq!(app.press(&token).await.status(), StatusCode::SEE_OTHER);
    }

    async fn ac_65_only_a_pressed_form_says_that_it_was_not_them(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (chat, link) = given(app, &zulkifli).await;
        let token = disavowal(app, &app.codes_to(zulkifli.email()).await[0]);
        let headers = pressed(&app.page_cookie("/bukan-saya").await);
        let page = app.get("/bukan-saya").await;
        assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        for method in [Method::GET, Method::HEAD] {
            let path = format!("/bukan-saya?token={token}");
            for _ in 0..20 {
                let request = app.request(method.clone(), &path).headers(headers.clone());
                assert_eq!(request.send().await.unwrap().status(), 200);
            }
        }
        for (kind, body) in [
            ("text/plain", format!("token={token}")),
            ("application/json", json!({"token": token}).to_string()),
        ] {
            let answer = send(app, "/bukan-saya", kind, body, &headers).await;
            assert_problem(answer, 415, "unsupported_type").await;
        }
        for headers in [
            with(&headers, "cookie", None),
            with(&headers, "cookie", Some("tanya-page=AAAA.BBBB")),
            with(&headers, "sec-fetch-site", Some("cross-site")),
            with(&headers, "sec-fetch-mode", Some("cors")),
            with(&headers, "sec-fetch-user", None),
        ] {
            let answer = send(app, "/bukan-saya", FORM, format!("token={token}"), &headers).await;
            assert_eq!(answer.status(), 403);
        }
        let tickets = app.database.count(app.folder(), "SELECT COUNT(*) FROM ticket").await;
        assert_eq!(tickets, 0);
        assert_eq!(app.press(&link).await.status(), StatusCode::SEE_OTHER);
        assert_ne!(chat.say("/slip").await[0]["kind"], "prompt", "still known");
        assert_eq!(disavow(app, &token).await.status(), StatusCode::OK);
    }

    async fn whoever_says_that_it_was_not_them_ends_everything(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (chat, link) = given(app, &zulkifli).await;
        let stranger = app.begin().await;
        let request = stranger.ask_for("lupa").await;
        app.give_number(&request, "staff", &zulkifli.id_no).await;
        let code = app.code(zulkifli.email(), 2).await;
        let mails = app.codes_to(zulkifli.email()).await;
        let token = disavowal(app, &mails[1]);
        let page = disavow(app, &token).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.text().await.unwrap().contains("telah ditamatkan"));
        // The link, the session, the open request.
        assert_eq!(app.press(&link).await.status(), StatusCode::GONE);
        assert_eq!(chat.say("/slip").await[0]["kind"], "prompt");
        assert_eq!(times_said(&chat, "Slip gaji yang ada").await, 0);
        assert_problem(app.give_code(&request, &code).await, 410, "link_gone").await;
        // The unit that has to look is told, and not who it is.
        let told = app.mails_about("teknikal@localhost", "TK-", 1).await;
        assert!(told[0].text.contains("Makluman: bukan saya"), "{}", told[0].text);
        let plain = &zulkifli.id_no;
        for secret in [plain.as_str(), zulkifli.email(), &zulkifli.name] {
            assert!(!told[0].text.contains(secret));
        }
        // The token is spent; those of other mails are not.
        let gone = disavow(app, &token).await;
        assert_eq!(gone.status(), StatusCode::GONE);
        assert_eq!(disavow(app, "A").await.status(), StatusCode::GONE);
        let count = async |rows| app.database.count(app.folder(), rows).await;
        assert_eq!(count("SELECT COUNT(*) FROM ticket WHERE queue = 'teknikal'").await, 1);
        let done = "SELECT COUNT(*) FROM audit WHERE event = 'disavowed' AND outcome = 'stopped'";
        assert_eq!(count(done).await, 1);
        assert_eq!(disavow(app, &disavowal(app, &mails[0])).await.status(), StatusCode::OK);
    }

    async fn ac_24_mails_stop_for_a_day_and_nobody_can_see_it(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (mailed, alive) = start_as(app, &zulkifli.id_no).await;
        assert!(mailed);
        app.code(zulkifli.email(), 1).await;
        let mail = app.codes_to(zulkifli.email()).await.remove(0);
        disavow(app, &disavowal(app, &mail)).await;
        for wait in [0, DAY - 5 * MINUTE] {
            app.app.clock.advance(wait);
            let (mailed, stopped) = start_as(app, &zulkifli.id_no).await;
            assert!(!mailed, "a mail went out {wait} ms after it was stopped");
            assert_eq!(stopped, alive);
            assert_eq!(start_as(app, TWIN).await.1, alive);
        }
        let withheld = "SELECT COUNT(*) FROM audit WHERE event = 'verify.started' AND outcome = 'withheld'";
        assert_eq!(app.database.count(app.folder(), withheld).await, 2);
        app.app.clock.advance(5 * MINUTE + 1);
        assert!(start_as(app, &zulkifli.id_no).await.0);
        app.code(zulkifli.email(), 2).await;
    }

    async fn ac_24_nobody_can_be_silenced_for_good(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        for time in 1..=4 {
            assert!(start_as(app, &zulkifli.id_no).await.0, "mails go again, time {time}");
            app.code(zulkifli.email(), time).await;
            let mail = app.codes_to(zulkifli.email()).await.remove(time - 1);
            assert_eq!(disavow(app, &disavowal(app, &mail)).await.status(), StatusCode::OK);
            let mailed = start_as(app, &zulkifli.id_no).await.0;
            assert_eq!(mailed, time == 4, "time {time}");
            app.app.clock.advance(DAY + 1);
        }
        let count = async |rows| app.database.count(app.folder(), rows).await;
        assert_eq!(count("SELECT COUNT(*) FROM audit WHERE event = 'disavowed' AND outcome = 'stopped'").await, 3);
        assert_eq!(count("SELECT COUNT(*) FROM audit WHERE event = 'disavowed' AND outcome = 'not-stopped'").await, 1);
    }

    async fn a_mail_of_more_than_a_month_ago_disavows_nothing(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        start_as(app, &zulkifli.id_no).await;
        app.code(zulkifli.email(), 1).await;
        let token = disavowal(app, &app.codes_to(zulkifli.email()).await[0]);
        app.app.clock.advance(30 * DAY + MINUTE);
        assert_eq!(disavow(app, &token).await.status(), StatusCode::GONE);
        assert!(start_as(app, &zulkifli.id_no).await.0, "nothing was stopped");
    }

    async fn every_mail_of_ours_to_a_person_can_be_disavowed(app: TestApp) {
        let person = app.second().await;
        let chat = app.begin().await;
        chat.prove("lupa", &person).await;
        let mail = app.mails_about(person.email(), "Set semula kata laluan", 1).await.remove(0);
        assert_eq!(disavow(app, &disavowal(app, &mail)).await.status(), StatusCode::OK);
        assert_eq!(chat.say("/lupa").await[0]["kind"], "prompt");
    }
}

/// Ends a proof in every way that there is, and returns what a press on its link gets then.
async fn ended_in_every_way(app: &TestApp) -> Vec<(&'static str, Seen)> {
    let zulkifli = app.zulkifli().await;
    let second = app.second().await;
    let mut pages = Vec::new();

    let (chat, token) = given(app, &zulkifli).await;
    chat.say("/keluar").await;
    pages.push(("/keluar", seen(app.press(&token).await).await));

    let (chat, token) = given(app, &zulkifli).await;
    chat.say("/padam").await;
    chat.choose("erase:yes").await;
    pages.push(("/padam", seen(app.press(&token).await).await));

    let (chat, token) = given(app, &zulkifli).await;
    let ended = chat.request(Method::DELETE, "").send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    pages.push(("Tamat", seen(app.press(&token).await).await));

    let (chat, token) = given(app, &zulkifli).await;
    let offered = chat.say("/sesi").await.remove(0);
    chat.choose(&Chat::choice(&offered, "Tamatkan semua")).await;
    pages.push(("/sesi", seen(app.press(&token).await).await));

    let (chat, token) = given(app, &zulkifli).await;
    app.app.clock.advance(5 * MINUTE + 1);
    chat.prove("slip", &second).await;
    pages.push(("another person", seen(app.press(&token).await).await));

    let (_idle, token) = given(app, &zulkifli).await;
    let (_alive, control) = given(app, &second).await;
    app.app.clock.advance(10 * MINUTE - 10_000);
    assert_eq!(app.press(&control).await.status(), StatusCode::SEE_OTHER);
    app.app.clock.advance(10_000);
    pages.push(("idle", seen(app.press(&token).await).await));

    let (_chat, token) = given(app, &zulkifli).await;
    let mail = app.codes_to(zulkifli.email()).await.pop().unwrap();
    disavow(app, &disavowal(app, &mail)).await;
    pages.push(("bukan saya", seen(app.press(&token).await).await));
    pages
}

#[tokio::test]
async fn a_link_dies_with_its_proof_however_that_ends() {
    for database in Database::both().await {
        // Links that live longer than a silent proof, so that only the proof's end can be the reason.
        let more = [
            ("TANYA_LINK_MINUTES", "60"),
            ("TANYA_CODES_PER_HOUR", "20"),
            ("TANYA_CODES_PER_DAY", "20"),
        ];
        let app = TestApp::start(database, &more).await;
        let pages = ended_in_every_way(&app).await;
        for (end, page) in &pages {
            assert_eq!(page.0, 410, "{end}");
            assert_eq!(page, &pages[0].1, "{end}");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn ac_47_no_address_that_is_made_follows_the_host_header() {
    for database in Database::both().await {
        let mut app = TestApp::start(database, &[]).await;
        let mut evil = HeaderMap::new();
        for name in ["host", "x-forwarded-host", "x-original-host"] {
            evil.insert(name, HeaderValue::from_static("evil.example"));
        }
        evil.insert(
            "forwarded",
            HeaderValue::from_static("host=evil.example;proto=https"),
        );
        let client = reqwest::Client::builder()
            .no_proxy()
            .default_headers(evil.clone());
        app.client = client.build().unwrap();

        let mut said: Vec<(String, String)> = Vec::new();
        for path in [
            "/",
            "/chat",
            "/verify",
            "/l",
            "/bukan-saya",
            "/widget.js",
            "/demo/inbox",
            "/api/openapi.json",
            "/none",
        ] {
            let page = seen(app.get(path).await).await;
            said.push((path.to_owned(), format!("{page:?}")));
        }
        let person = app.second().await;
        let (chat, token) = given(&app, &person).await;
        chat.say("/lupa").await;
        app.mails_about(person.email(), "Set semula kata laluan", 1)
            .await;
        let cookie = app.page_cookie("/l").await;
        let mut headers = pressed(&cookie);
        headers.extend(evil);
        let opened = app.press_with(&token, &headers).await;
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        said.push(("the press".to_owned(), format!("{:?}", opened.headers())));
        let messages = Value::from(chat.messages(0).await).to_string();
        assert!(
            messages.contains(&app.app.public_url),
            "there are addresses in it"
        );
        said.push(("the chat".to_owned(), messages));
        for mail in app.inbox().await {
            said.push((mail.subject.clone(), format!("{mail:?}")));
        }
        for (place, text) in said {
            assert!(!text.contains("evil.example"), "{place}: {text}");
        }
        app.stop().await;
    }
}
