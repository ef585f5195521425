//! What a person sees in the browser while a system is down.

use serde_json::json;

use crate::support::TestApp;
use crate::support::browser::{Browser, DESKTOP, Window};

#[tokio::test]
async fn the_chat_shows_that_a_system_is_down_until_it_works_again() {
    let phone = Window {
        width: 390,
        height: 780,
        dark: true,
    };
    for window in [DESKTOP, phone] {
        let Some(browser) = Browser::open(window).await else {
            return;
        };
        let app = TestApp::with(&[("TANYA_STATUS_EVERY_S", "1")]).await;
        let note = "Kerja naik taraf pangkalan data dijangka siap sebelum tengah hari.";
        let told = json!({"status": {"sistem": "down", "portal": "maintenance", "note": note}});
        app.faults(told).await;
        let known = "SELECT COUNT(*) FROM outage WHERE ended_at IS NULL";
        while app.database.count(app.folder(), known).await < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        browser.goto(&app.url("/chat")).await;
        browser.ready().await;
        let strip = "document.querySelector('#health').textContent";
        browser
            .until(&format!(
                "{strip}.includes('Sistem iSPEKS tidak dapat digunakan')"
            ))
            .await;
        browser.until(&format!("{strip}.includes('Portal iSPEKS sedang diselenggara') && {strip}.includes('tengah hari')")).await;
        browser.say("sistem ispeks tak boleh buka").await;
        browser.until("[...document.querySelectorAll('#log button')].some((button) => button.textContent.includes('Beritahu saya apabila pulih'))").await;
        if let Ok(folder) = std::env::var("TANYA_TEST_SHOTS") {
            let picture = browser.client.screenshot().await.unwrap();
            std::fs::write(format!("{folder}/health-{}.png", window.width), picture).unwrap();
        }
        // Nothing sticks out to the side.
        assert!(browser.fits().await);
        assert_eq!(browser.accessibility().await, Vec::<String>::new());
        browser.click("#lang").await;
        browser
            .until(&format!(
                "{strip}.includes('Portal iSPEKS is under maintenance')"
            ))
            .await;
        app.faults(json!({})).await;
        while app.database.count(app.folder(), known).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        browser
            .run("document.dispatchEvent(new Event('visibilitychange'))")
            .await;
        browser.until(&format!("{strip} === ''")).await;
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser.close().await;
        app.stop().await;
    }
}
