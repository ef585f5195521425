//! A screenshot that a user sent, made harmless: decoded, and encoded anew from its pixels alone. Refuses what is
//! neither JPEG nor PNG by its content, and believes no name and no declared type.
//!
//! Twenty-five megapixels take up to a second and some 250 MB: it runs where blocking is allowed, one at a time
//! (`decoding`).

mod decoding;

use std::io::Cursor;
use std::panic::{UnwindSafe, catch_unwind};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use thiserror::Error;

pub use decoding::{Decoding, DecodingError};

/// The most that is taken, in bytes.
pub const MOST_BYTES: usize = 5 * 1024 * 1024;

/// The most pixels of a picture that is taken: more than any screen has, and than most telephones photograph.
pub const MOST_PIXELS: u64 = 25_000_000;

/// The longest side of a picture that is taken, in pixels.
pub const MOST_SIDE: u32 = 12_000;

/// The longest side of what comes out, in pixels.
pub const SIDE: u32 = 2_400;

/// The largest PNG that comes out, in bytes; what would be larger becomes a JPEG.
const MOST_PNG_BYTES: usize = 4 * 1024 * 1024;

/// The most memory for pixels: four bytes each. A screenshot has no sixteen bits to a colour.
const MOST_MEMORY: u64 = 4 * MOST_PIXELS;

/// Markers of JPEG (ITU T.81, table B.1).
const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Of a hundred.
const JPEG_QUALITY: u8 = 85;

/// A picture that holds its pixels and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// What the file is.
    pub kind: PictureKind,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            kind,
            width,
            height,
            ..
        } = self;
        write!(formatter, "Picture({kind:?}, {width} × {height})")
    }
}

/// What a picture's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureKind {
    /// For photographs.
    Jpeg,
    /// For screens.
    Png,
}

impl PictureKind {
    /// The type to serve it as, with `X-Content-Type-Options: nosniff`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// The name as stored, which is also how its files' names end.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// Reads the name as stored.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Jpeg, Self::Png]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// What a file is by how it begins.
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            _ => None,
        }
    }

    const fn format(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
        }
    }
}

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PictureRefused {
    /// It has more than [`MOST_BYTES`].
    #[error("the picture is larger than 5 MB")]
    TooLarge,
    /// It is neither JPEG nor PNG.
    #[error("only JPEG and PNG pictures are taken")]
    Unsupported,
    /// It has more pixels than [`MOST_PIXELS`] or [`MOST_SIDE`], or needs more memory than so many.
    #[error("the picture has too many pixels")]
    TooManyPixels,
    /// It begins as a picture and is none.
    #[error("the picture is damaged")]
    Damaged,
}

impl From<ImageError> for PictureRefused {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooManyPixels,
            _ => Self::Damaged,
        }
    }
}

/// A picture anew from its pixels: upright, at most [`SIDE`] pixels a side, and without anything that came with it.
pub fn reencode(bytes: &[u8]) -> Result<Picture, PictureRefused> {
    if bytes.len() > MOST_BYTES {
        return Err(PictureRefused::TooLarge);
    }
    let kind = PictureKind::of(bytes).ok_or(PictureRefused::Unsupported)?;
    if kind == PictureKind::Jpeg && !has_end(bytes) {
        return Err(PictureRefused::Damaged);
    }
    let (pixels, orientation) = contained(|| decode(bytes, kind))?;
    let mut pixels = eight_bits(shrink(pixels));
    // After shrinking: turning copies.
    pixels.apply_orientation(orientation);
    let (kind, bytes) = encode(&pixels, kind)?;
    let (width, height) = (pixels.width(), pixels.height());
    Ok(Picture {
        bytes,
        kind,
        width,
        height,
    })
}

/// What a decoder gives, even one that panics: zune-jpeg 0.5.15 does at some damaged files (zune-image #409).
fn contained<T>(
    decode: impl FnOnce() -> Result<T, PictureRefused> + UnwindSafe,
) -> Result<T, PictureRefused> {
    catch_unwind(decode).unwrap_or(Err(PictureRefused::Damaged))
}

/// Whether a JPEG's end came too: the decoder paints grey what is missing. A preview in the metadata has an end of its
/// own, so that all segments before the pixels are passed over.
fn has_end(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = rest
        && *marker != START_OF_SCAN
    {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // Any number of 0xff may stand before a marker.
        let end = if *marker == 0xff { 1 } else { 2 + length };
        rest = rest.get(end..).unwrap_or_default();
    }
    rest.windows(2).any(|pair| pair == END_OF_IMAGE)
}

/// The pixels, and how they are to be turned. The header is read first, and no memory is taken on its word alone.
fn decode(bytes: &[u8], kind: PictureKind) -> Result<(DynamicImage, Orientation), PictureRefused> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format());
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return Err(PictureRefused::TooManyPixels);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}

/// Fits a picture into [`SIDE`]. A very large one first comes to twice that in whole pixels, because the better way
/// takes sixteen bytes for each.
fn shrink(pixels: DynamicImage) -> DynamicImage {
    let longest = |pixels: &DynamicImage| pixels.width().max(pixels.height());
    let pixels = if longest(&pixels) > 2 * SIDE {
        pixels.thumbnail(2 * SIDE, 2 * SIDE)
    } else {
        pixels
    };
    if longest(&pixels) > SIDE {
        pixels.resize(SIDE, SIDE, FilterType::Triangle)
    } else {
        pixels
    }
}

fn eight_bits(pixels: DynamicImage) -> DynamicImage {
    let color = pixels.color();
    match (color.has_color(), color.has_alpha()) {
        (true, true) => pixels.into_rgba8().into(),
        (true, false) => pixels.into_rgb8().into(),
        (false, true) => pixels.into_luma_alpha8().into(),
        (false, false) => pixels.into_luma8().into(),
    }
}

fn encode(pixels: &DynamicImage, kind: PictureKind) -> Result<(PictureKind, Vec<u8>), ImageError> {
    if kind == PictureKind::Png {
        let bytes = png(pixels)?;
        if bytes.len() <= MOST_PNG_BYTES {
            return Ok((PictureKind::Png, bytes));
        }
    }
    Ok((PictureKind::Jpeg, jpeg(pixels)?))
}

fn png(pixels: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, PngFilter::Adaptive);
    pixels.write_with_encoder(encoder)?;
    Ok(bytes)
}

fn jpeg(pixels: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    on_white(pixels).write_with_encoder(encoder)?;
    Ok(bytes)
}

/// A JPEG cannot be seen through; without this, what is clear would come out in any colour.
fn on_white(pixels: &DynamicImage) -> RgbImage {
    if !pixels.color().has_alpha() {
        return pixels.to_rgb8();
    }
    let mut white = DynamicImage::ImageRgba8(image::RgbaImage::from_pixel(
        pixels.width(),
        pixels.height(),
        image::Rgba([255; 4]),
    ));
    image::imageops::overlay(&mut white, pixels, 0, 0);
    white.into_rgb8()
}

#[cfg(test)]
mod tests;
