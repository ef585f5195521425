//! A person sends a screenshot from the widget, and an officer gets it.

use fantoccini::Locator;
use image::GenericImageView;
use tanya::agent::role::Role;

use crate::pictures::listed;
use crate::support::TestApp;
use crate::support::browser::{Browser, DESKTOP, PHONE};
use crate::support::picture::png;

/// Chooses a file, as the system's own dialog would.
async fn choose(browser: &Browser, path: &std::path::Path) {
    let field = browser.client.find(Locator::Css("#picture")).await.unwrap();
    field.send_keys(path.to_str().unwrap()).await.unwrap();
}

#[tokio::test]
async fn ac_71_to_73_a_person_sends_a_picture_in_the_widget_and_the_officer_downloads_it() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let screenshot = folder.path().join("skrin.png");
    std::fs::write(&screenshot, png(5)).unwrap();
    let broken = folder.path().join("rosak.png");
    std::fs::write(&broken, &png(5)[..300]).unwrap();
    browser.goto(&app.url("/")).await;
    browser.open_widget().await;
    // By the keyboard: the button is before the text and has a name.
    let name = "return document.querySelector('#attach').getAttribute('aria-label')";
    assert_eq!(browser.run(name).await, "Hantar gambar kepada pegawai");
    choose(&browser, &screenshot).await;
    browser
        .until("document.querySelector('#picture-confirm').open")
        .await;
    assert!(
        browser
            .until("document.querySelector('#picture-name').textContent")
            .await
            .as_str()
            .unwrap()
            .starts_with("skrin.png (")
    );
    assert_eq!(browser.accessibility().await, Vec::<String>::new());
    browser.click("#picture-yes").await;
    browser
        .until("[...document.querySelectorAll('.message-user')].some(m => m.innerText.includes('[gambar dihantar]'))")
        .await;
    browser
        .until("document.body.innerText.includes('tidak dapat membaca gambar')")
        .await;
    browser
        .run("[...document.querySelectorAll('.is-newest .choice')].find(c => c.innerText === 'Hubungi pegawai').click()")
        .await;
    browser
        .until("[...document.querySelectorAll('.is-newest .choice')].some(c => c.innerText === 'Portal iSPEKS')")
        .await;
    browser.click("#text").await;
    browser.say("Portal iSPEKS").await;
    browser
        .until("document.body.innerText.includes('jabatan/PTJ')")
        .await;
    browser.say("JKR Machang").await;
    browser
        .until("document.body.innerText.includes('Tangkapan skrin (JPEG atau PNG')")
        .await;
    browser.say("macam dalam gambar").await;
    let number = browser
        .until("document.body.innerText.match(/TK-\\d{4}-\\d{6}-\\d/)?.[0]")
        .await;
    let number = number.as_str().unwrap();
    // What is broken is said to be, and can be put away.
    choose(&browser, &broken).await;
    browser.click("#picture-yes").await;
    browser
        .until("document.querySelector('.meta-refused')?.innerText.includes('rosak')")
        .await;
    assert_eq!(browser.accessibility().await, Vec::<String>::new());
    browser.click(".meta-refused button").await;
    // A picture in the clipboard, pasted.
    let paste = "const data = new DataTransfer();
        const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
        data.items.add(new File([bytes], 'image.png', {type: 'image/png'}));
        document.querySelector('#text').dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));";
    let bytes = base64_of(&png(6));
    browser
        .client
        .execute(paste, vec![bytes.into()])
        .await
        .unwrap();
    browser
        .until("document.querySelector('#picture-confirm').open")
        .await;
    browser.click("#picture-yes").await;
    browser
        .until(&format!(
            "document.body.innerText.includes('ditambah pada tiket {number}')"
        ))
        .await;

    let siti = app.officer("siti", Role::Officer).await;
    let links = listed(&siti.ticket(number).await);
    assert_eq!(links.len(), 2);
    for link in links {
        let bytes = siti.get(&link).await.bytes().await.unwrap();
        assert_eq!(
            image::load_from_memory(&bytes).unwrap().dimensions(),
            (320, 200)
        );
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn the_button_for_pictures_fits_on_a_phone_and_one_types_on_after_it() {
    let Some(browser) = Browser::open(PHONE).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/chat?lang=en")).await;
    browser.ready().await;
    let name = "return document.querySelector('#attach').getAttribute('aria-label')";
    assert_eq!(browser.run(name).await, "Send a picture to the officers");
    assert!(browser.fits().await);
    let size = "const box = document.querySelector('#attach').getBoundingClientRect(); return box.width >= 44 && box.height >= 44";
    assert_eq!(browser.run(size).await, true);
    assert_eq!(browser.accessibility().await, Vec::<String>::new());
    browser.close().await;

    let browser = Browser::open(DESKTOP).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let screenshot = folder.path().join("screen.png");
    std::fs::write(&screenshot, png(5)).unwrap();
    browser.goto(&app.url("/chat?lang=en")).await;
    browser.ready().await;
    choose(&browser, &screenshot).await;
    browser
        .until("document.querySelector('#picture-confirm').open")
        .await;
    let keys = "\u{E007}";
    let button = browser
        .client
        .find(Locator::Css("#picture-yes"))
        .await
        .unwrap();
    button.send_keys(keys).await.unwrap();
    browser
        .until("document.body.innerText.includes('I (Tanya) cannot read pictures')")
        .await;
    let field = "return document.activeElement.id";
    assert_eq!(browser.run(field).await, "text");
    browser.say("how do I register for the portal?").await;
    browser
        .until("document.querySelector('.kind-answer')")
        .await;
    browser.close().await;
    app.stop().await;
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
