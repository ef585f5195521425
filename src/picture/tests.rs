//! What comes out of the re-encoder, whatever goes in.

use super::*;
use image::{ExtendedColorType, GenericImageView, ImageEncoder, Rgb, Rgba, RgbaImage};
use proptest::prelude::*;
use proptest::sample::Index;

/// Red on the left, blue on the right.
fn flag(width: u32, height: u32) -> DynamicImage {
    let color = |x, _| {
        if x < width / 2 {
            Rgb([250, 0, 0])
        } else {
            Rgb([0, 0, 250])
        }
    };
    RgbImage::from_fn(width, height, color).into()
}

/// What nobody can compress, the same each time.
fn noise(width: u32, height: u32) -> DynamicImage {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    RgbImage::from_fn(width, height, |_, _| Rgb([next(), next(), next()])).into()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn ends_as_it_should(picture: &Picture) -> bool {
    match picture.kind {
        PictureKind::Jpeg => picture.bytes.ends_with(&[0xff, 0xd9]),
        PictureKind::Png => picture.bytes.ends_with(b"IEND\xae\x42\x60\x82"),
    }
}

fn is_red(pixel: Rgba<u8>) -> bool {
    pixel.0[0] > 200 && pixel.0[2] < 50
}

fn shown(picture: &Picture) -> DynamicImage {
    image::load_from_memory_with_format(&picture.bytes, picture.kind.format()).unwrap()
}

/// A chunk of a PNG, with its checksum.
fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let checked = [kind.as_slice(), content].concat();
    let crc = checked.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    });
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [length.as_slice(), &checked, &(!crc).to_be_bytes()].concat()
}

/// The header of a PNG: its signature and `IHDR`.
fn png_header(width: u32, height: u32, depth: u8, color: u8) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let content = [size.as_slice(), &[depth, color, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &content)].concat()
}

/// A PNG with a chunk put in after its header.
fn with_chunk(png: &[u8], chunk: &[u8]) -> Vec<u8> {
    let (header, rest) = png.split_at(33);
    [header, chunk, rest].concat()
}

/// EXIF with an orientation, and a GPS version that stands for a place.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    tiff.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38, 0, 0, 0, 0]);
    tiff.extend(b"\0\x01\0\x1d\0\x02\0\0\0\x0b\0\0\0\x38\0\0\0\0");
    tiff.extend(b"2026:10:04\0");
    tiff
}

/// A JPEG with EXIF put in after its first marker.
fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    let content = [b"Exif\0\0".as_slice(), exif].concat();
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [
        &[0xff, 0xd8, 0xff, 0xe1],
        length.as_slice(),
        &content,
        &jpeg[2..],
    ]
    .concat()
}

#[test]
fn a_jpeg_stays_a_jpeg_and_a_png_a_png() {
    let pixels = flag(40, 20);
    for (bytes, kind) in [
        (jpeg(&pixels).unwrap(), PictureKind::Jpeg),
        (png(&pixels).unwrap(), PictureKind::Png),
    ] {
        let picture = reencode(&bytes).unwrap();
        assert_eq!(
            (picture.kind, picture.width, picture.height),
            (kind, 40, 20)
        );
        assert!(is_red(shown(&picture).get_pixel(5, 10)));
        assert!(!is_red(shown(&picture).get_pixel(35, 10)));
        assert!(ends_as_it_should(&picture));
    }
}

#[test]
fn a_png_keeps_its_pixels_to_the_last() {
    let pixels = noise(100, 50);
    let picture = reencode(&png(&pixels).unwrap()).unwrap();
    assert_eq!(shown(&picture), pixels);
}

#[test]
fn ac_71_what_hangs_behind_a_picture_is_gone() {
    let html = b"<html><script>alert(document.domain)</script></html>".as_slice();
    let zip = b"PK\x03\x04\x14\0\0\0\0\0payload.exe PK\x05\x06".as_slice();
    let php = b"<?php system($_GET['c']); __HALT_COMPILER(); ?>".as_slice();
    let pdf = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>".as_slice();
    for picture in [jpeg(&flag(40, 20)).unwrap(), png(&flag(40, 20)).unwrap()] {
        for tail in [html, zip, php, pdf] {
            let anew = reencode(&[&picture, tail].concat()).unwrap();
            assert!(!contains(&anew.bytes, tail));
            assert!(ends_as_it_should(&anew));
            assert_eq!(anew, reencode(&picture).unwrap());
        }
    }
}

#[test]
fn ac_71_what_hides_inside_a_picture_is_gone() {
    let script = b"Comment\0<script>alert(1)</script>".as_slice();
    let plain = png(&flag(40, 20)).unwrap();
    for kind in [b"tEXt", b"eXIf", b"prVt"] {
        let anew = reencode(&with_chunk(&plain, &chunk(kind, script))).unwrap();
        assert!(!contains(&anew.bytes, b"script"));
        assert_eq!(anew, reencode(&plain).unwrap());
    }
    let plain = jpeg(&flag(40, 20)).unwrap();
    let comment = [b"\xff\xd8\xff\xfe\0\x23".as_slice(), script, &plain[2..]].concat();
    assert_eq!(reencode(&comment).unwrap(), reencode(&plain).unwrap());
}

#[test]
fn ac_72_what_is_neither_jpeg_nor_png_is_refused() {
    for bytes in [
        b"".as_slice(),
        b"\xff",
        b"\xff\xd8",
        b"\x89PNG",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"%PDF-1.7\n",
        b"PK\x03\x04\x14\0\0\0",
        b"RIFF\x24\0\0\0WEBPVP8 ",
        b"BM\x46\0\0\0",
        b"MZ\x90\0",
        b"II*\0\x08\0\0\0",
        b" \xff\xd8\xff\xe0",
    ] {
        assert_eq!(reencode(bytes), Err(PictureRefused::Unsupported));
    }
}

#[test]
fn what_only_begins_as_a_picture_is_refused() {
    for bytes in [
        b"\xff\xd8\xff".as_slice(),
        b"\xff\xd8\xff\xe0<html><script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>",
    ] {
        assert_eq!(reencode(bytes), Err(PictureRefused::Damaged));
    }
}

#[test]
fn half_a_picture_is_refused() {
    for whole in [png(&noise(60, 60)).unwrap(), jpeg(&noise(60, 60)).unwrap()] {
        for part in [20, 34, 100, whole.len() / 2] {
            assert_eq!(
                reencode(&whole[..part]),
                Err(PictureRefused::Damaged),
                "{part}"
            );
        }
    }
}

#[test]
fn a_decoder_that_panics_refuses_its_picture() {
    let refused = contained(|| -> Result<(), PictureRefused> { panic!("as zune-jpeg does") });
    assert_eq!(refused, Err(PictureRefused::Damaged));
}

#[test]
fn the_end_of_a_preview_is_not_the_end_of_the_picture() {
    let preview = jpeg(&flag(16, 16)).unwrap();
    let mut whole = with_exif(&jpeg(&noise(60, 60)).unwrap(), &preview);
    assert!(reencode(&whole).is_ok());
    // Fill bytes before a marker are allowed.
    whole.splice(2..2, [0xff, 0xff]);
    assert!(reencode(&whole).is_ok());
    whole.truncate(whole.len() - 2);
    assert_eq!(reencode(&whole), Err(PictureRefused::Damaged));
}

#[test]
fn ac_73_five_megabytes_and_one_byte_are_refused() {
    let mut bytes = jpeg(&flag(40, 20)).unwrap();
    bytes.resize(MOST_BYTES, 0);
    assert!(reencode(&bytes).is_ok());
    bytes.push(0);
    assert_eq!(reencode(&bytes), Err(PictureRefused::TooLarge));
}

#[test]
fn ac_73_a_bomb_is_refused_by_its_header() {
    // 60,000 a side; a long strip; 26 megapixels; sixteen bits to a colour.
    for (width, height, depth) in [
        (60_000, 60_000, 8),
        (12_001, 1, 8),
        (1, 12_001, 8),
        (5_200, 5_000, 8),
        (4_900, 4_900, 16),
    ] {
        // There are no pixels at all: who decodes before looking says `Damaged`.
        let bytes = [
            png_header(width, height, depth, 6),
            chunk(b"IDAT", b""),
            chunk(b"IEND", b""),
        ]
        .concat();
        assert_eq!(
            reencode(&bytes),
            Err(PictureRefused::TooManyPixels),
            "{width} × {height}"
        );
    }
    let mut bytes = jpeg(&flag(40, 20)).unwrap();
    let frame = bytes
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert_eq!(reencode(&bytes), Err(PictureRefused::TooManyPixels));
}

#[test]
fn ac_73_a_small_file_of_a_hundred_megapixels_is_refused() {
    // A row of 1,250 bytes is one of 10,000 pixels of one bit, under a header that says so.
    let narrow = png(&DynamicImage::new_luma8(1_250, 10_000)).unwrap();
    let bytes = [png_header(10_000, 10_000, 1, 0).as_slice(), &narrow[33..]].concat();
    assert!(bytes.len() < 100_000);
    let swollen = image::load_from_memory(&bytes).unwrap();
    assert_eq!(swollen.dimensions(), (10_000, 10_000));
    assert_eq!(reencode(&bytes), Err(PictureRefused::TooManyPixels));
}

#[test]
fn a_telephone_held_sideways_still_gives_an_upright_picture() {
    let sideways = jpeg(&flag(40, 20)).unwrap();
    let turned = reencode(&with_exif(&sideways, &exif(6))).unwrap();
    assert_eq!((turned.width, turned.height), (20, 40));
    assert!(is_red(shown(&turned).get_pixel(10, 5)));
    assert!(!is_red(shown(&turned).get_pixel(10, 35)));
    let upside_down = reencode(&with_exif(&sideways, &exif(3))).unwrap();
    assert!(is_red(shown(&upside_down).get_pixel(35, 10)));
}

#[test]
fn a_png_is_turned_as_its_exif_says() {
    let bytes = with_chunk(&png(&flag(40, 20)).unwrap(), &chunk(b"eXIf", &exif(6)));
    let turned = reencode(&bytes).unwrap();
    assert_eq!((turned.width, turned.height), (20, 40));
    assert!(!contains(&turned.bytes, b"eXIf"));
}

#[test]
fn ac_71_where_a_picture_was_taken_is_gone() {
    let bytes = with_exif(&jpeg(&flag(40, 20)).unwrap(), &exif(1));
    assert!(contains(&bytes, b"2026:10:04"));
    let picture = reencode(&bytes).unwrap();
    assert!(!contains(&picture.bytes, b"2026:10:04"));
    assert!(!contains(&picture.bytes, b"Exif"));
}

#[test]
fn a_large_picture_comes_down_to_2400_pixels() {
    for (width, height, expected) in [
        (2_400, 2_400, (2_400, 2_400)),
        (3_000, 1_500, (2_400, 1_200)),
        (1_500, 6_000, (600, 2_400)),
        (12_000, 1, (2_400, 1)),
    ] {
        let picture = reencode(&png(&flag(width, height)).unwrap()).unwrap();
        assert_eq!((picture.width, picture.height), expected);
    }
}

#[test]
fn a_png_that_would_stay_large_becomes_a_jpeg() {
    let bytes = png(&noise(1_250, 1_250)).unwrap();
    assert!(bytes.len() > MOST_PNG_BYTES && bytes.len() <= MOST_BYTES);
    let picture = reencode(&bytes).unwrap();
    assert_eq!(picture.kind, PictureKind::Jpeg);
    assert!(ends_as_it_should(&picture));
}

#[test]
fn what_is_clear_comes_out_white_in_a_jpeg() {
    let clear = RgbaImage::from_pixel(16, 16, Rgba([0, 0, 0, 0]));
    assert!(
        on_white(&clear.into())
            .pixels()
            .all(|pixel| pixel.0 == [255; 3])
    );
}

#[test]
fn sixteen_bits_grey_and_clear_are_fine() {
    let pixels = flag(40, 20);
    for (pixels, color) in [
        (
            DynamicImage::from(pixels.to_rgb16()),
            image::ColorType::Rgb8,
        ),
        (
            DynamicImage::from(pixels.to_rgba16()),
            image::ColorType::Rgba8,
        ),
        (
            DynamicImage::from(pixels.to_rgba8()),
            image::ColorType::Rgba8,
        ),
        (DynamicImage::from(pixels.to_luma16()), image::ColorType::L8),
        (
            DynamicImage::from(pixels.to_luma_alpha8()),
            image::ColorType::La8,
        ),
    ] {
        let mut bytes = Vec::new();
        pixels
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
            .unwrap();
        let picture = reencode(&bytes).unwrap();
        assert_eq!(
            (picture.kind, shown(&picture).color()),
            (PictureKind::Png, color)
        );
    }
}

#[test]
fn a_palette_is_fine() {
    let mut indexes = Vec::new();
    PngEncoder::new(&mut indexes)
        .write_image(&[1; 16], 4, 4, ExtendedColorType::L8)
        .unwrap();
    let palette = chunk(b"PLTE", &[0, 0, 0, 250, 0, 0]);
    let bytes = [png_header(4, 4, 8, 3).as_slice(), &palette, &indexes[33..]].concat();
    let picture = reencode(&bytes).unwrap();
    assert_eq!(shown(&picture).get_pixel(0, 0), Rgba([250, 0, 0, 255]));
}

#[test]
fn a_grey_jpeg_is_fine() {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new(&mut bytes);
    flag(40, 20).to_luma8().write_with_encoder(encoder).unwrap();
    assert_eq!(reencode(&bytes).unwrap().kind, PictureKind::Jpeg);
}

#[test]
fn a_picture_is_not_printed() {
    let picture = reencode(&png(&flag(40, 20)).unwrap()).unwrap();
    assert_eq!(format!("{picture:?}"), "Picture(Png, 40 × 20)");
}

proptest! {
    #[test]
    fn a_damaged_picture_never_brings_it_down(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        length in any::<Index>(),
        whole: bool,
    ) {
        for mut bytes in [png(&noise(20, 20)).unwrap(), jpeg(&noise(20, 20)).unwrap()] {
            for (at, byte) in &changes {
                *at.get_mut(&mut bytes) = *byte;
            }
            if !whole {
                bytes.truncate(length.index(bytes.len()));
            }
            if let Ok(picture) = reencode(&bytes) {
                prop_assert!(ends_as_it_should(&picture));
            }
        }
    }
}
