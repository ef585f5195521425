//! Pictures as people send them, and as attackers do.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::{Method, Response};
use serde_json::Value;
use uuid::Uuid;

use super::Chat;

/// A screenshot: no two of different `shade` are the same.
pub fn screenshot(shade: u8) -> DynamicImage {
    let color = |x: u32, y: u32| Rgb([shade, (x % 251) as u8, (y % 241) as u8]);
    RgbImage::from_fn(320, 200, color).into()
}

/// Its file.
pub fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    bytes
}

pub fn png(shade: u8) -> Vec<u8> {
    file(&screenshot(shade), ImageFormat::Png)
}

pub fn jpeg(shade: u8) -> Vec<u8> {
    file(&screenshot(shade), ImageFormat::Jpeg)
}

/// A PNG whose header promises more pixels than anybody should make room for.
pub fn bomb() -> Vec<u8> {
    let mut bytes = png(1);
    bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    // The checksum of the header.
    let crc = bytes[12..29].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    });
    bytes[29..33].copy_from_slice(&(!crc).to_be_bytes());
    bytes
}

/// Whether some bytes stand within others.
pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

impl Chat<'_> {
    pub async fn post_picture(&self, client_id: Uuid, kind: &str, bytes: Vec<u8>) -> Response {
        let request = self.request(Method::POST, &format!("/pictures?client_id={client_id}"));
        request
            .header("content-type", kind)
            .body(bytes)
            .send()
            .await
            .unwrap()
    }

    /// Sends a picture that has to be taken; what is said to it.
    pub async fn send_picture(&self, bytes: Vec<u8>) -> Vec<Value> {
        let response = self.post_picture(Uuid::new_v4(), "image/png", bytes).await;
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "{body}");
        body["replies"].as_array().unwrap().clone()
    }
}
