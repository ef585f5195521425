//! Three processes on one PostgreSQL behind the load balancer that is shipped. One at a time is killed, or restarted as an
//! upgrade does it, under traffic on both channels: nothing that was accepted is lost, nothing is decided twice, and
//! whoever follows a chat hears all of it once. `scripts/rolling` begins with the processes of an older version.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::crash::{
    begin_on_the_web, every_chat_is_whole, every_person_was_answered, until_carried,
    write_on_telegram, write_on_the_web,
};
use crate::crash_desk::Outside;
use crate::support::balancer::Balancer;
use crate::support::bot_api::TOKEN;
use crate::support::process::Process;
use crate::support::stream::EventStream;
use crate::support::{BotApi, Database};

/// Chats on the web.
const CHATS: usize = 6;

/// Follows a chat through the balancer, connecting again after every end; tells the number of the last message.
async fn follow(http: SocketAddr, (id, token): (String, String), stop: Arc<AtomicBool>) -> i64 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut last = 0;
    while !stop.load(Ordering::Relaxed) {
        let url = format!("http://{http}/api/v1/conversations/{id}/events?after={last}");
        let response = client.get(url).bearer_auth(&token).send().await;
        match response {
            Ok(response) if response.status() == 200 => {
                let mut stream = EventStream::new(response);
                while let Some(event) = stream.next().await {
                    if event.name == "message" {
                        assert_eq!(event.id, Some(last + 1), "lost, or heard twice");
                        last += 1;
                    }
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    last
}

/// How a process ends.
#[derive(Clone, Copy)]
enum End {
    Killed,
    Restarted,
}

async fn one_process_at_a_time_ends(ends: &[End]) {
    let Some(database) = Database::postgres().await else {
        return;
    };
    if !Balancer::is_there() {
        return;
    }
    let folders = [0; 3].map(|_| tempfile::tempdir().unwrap());
    let url = database.url(folders[0].path());
    let telegram = BotApi::start().await;
    let api_url = telegram.url();
    let settings = [
        ("TANYA_DATABASE_URL", url.as_str()),
        ("TANYA_TELEGRAM_TOKEN", TOKEN),
        ("TANYA_TELEGRAM_API_URL", &api_url),
        ("TANYA_TRUSTED_PROXIES", "127.0.0.1/32"),
        ("TANYA_CHAT_MESSAGES_PER_MINUTE", "1000000"),
    ];
    let start = |place: usize| Process::start_before(folders[place].path(), &settings);
    let mut processes = [start(0).await, start(1).await, start(2).await];
    let balancer = Balancer::start(&processes).await;

    let stop = Arc::new(AtomicBool::new(false));
    let followed = begin_on_the_web(balancer.addr).await;
    let follower = tokio::spawn(follow(balancer.addr, followed.clone(), Arc::clone(&stop)));
    let mut begun = vec![followed];
    for _ in 1..CHATS {
        begun.push(begin_on_the_web(balancer.addr).await);
    }
    let chats: Vec<_> = begun
        .into_iter()
        .map(|chat| tokio::spawn(write_on_the_web(balancer.addr, chat, Arc::clone(&stop))))
        .collect();
    let people = tokio::spawn(write_on_telegram(telegram.clone(), Arc::clone(&stop)));
    for (turn, end) in ends.iter().enumerate() {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let place = turn % processes.len();
        match end {
            End::Killed => processes[place].kill(),
            End::Restarted => processes[place].terminate(),
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        processes[place].again(folders[place].path()).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for chat in chats {
        told.push(chat.await.unwrap());
    }
    let written = people.await.unwrap();
    let given: i64 = written.values().map(|updates| updates.len() as i64).sum();
    until_carried(&processes[0], &url, &telegram, given).await;
    for process in &mut processes {
        process.kill();
    }
    let messages: usize = told.iter().map(|(_, _, told)| told.len()).sum();
    eprintln!(
        "{} ends, {messages} messages on the web, {given} on Telegram",
        ends.len()
    );
    assert!(messages > CHATS && given > 1);
    assert!(follower.await.unwrap() > 2);
    every_chat_is_whole(&url, &told).await;
    every_person_was_answered(&url, &telegram, &written).await;
    assert_eq!(telegram.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn one_process_at_a_time_is_killed_and_nobody_loses_anything() {
    one_process_at_a_time_ends(&[End::Killed; 3]).await;
}

#[tokio::test]
async fn ac_110_a_rolling_restart_loses_nothing() {
    one_process_at_a_time_ends(&[End::Restarted; 3]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_desk_one_process_at_a_time_is_killed_and_every_matter_is_one_ticket() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    if !Balancer::is_there() {
        return;
    }
    let folders = [0; 3].map(|_| tempfile::tempdir().unwrap());
    let outside = Outside::begin(database, folders[0].path()).await;
    let settings = outside.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let start = |place: usize| Process::start(folders[place].path(), &settings);
    let mut processes = [start(0).await, start(1).await, start(2).await];
    let balancer = Balancer::start(&processes).await;
    let people = outside.people(balancer.addr, folders[0].path()).await;
    for place in 0..processes.len() {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        processes[place].kill();
        tokio::time::sleep(Duration::from_millis(300)).await;
        processes[place].again(folders[place].path()).await;
    }
    let ledger = outside.ends(people, &processes[0], folders[0].path()).await;
    for process in &mut processes {
        process.kill();
    }
    outside.is_whole(&ledger, folders[0].path()).await;
}
