//! A QR code that a template draws: `<svg viewBox="0 0 {side} {side}"><path d="{path}"></svg>`. Knows nothing of
//! images, and refuses what does not fit into a QR code.

use std::fmt::Write;

use qrcode::Color;

/// The white edge that a reader needs, in modules (ISO/IEC 18004).
const EDGE: usize = 4;

/// A QR code as a drawing; it tells what it holds, and is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct QrCode {
    /// The length of a side in modules, with a white edge of four.
    pub side: usize,
    /// The dark modules as the `d` of an SVG path: digits, signs and the letters `M`, `h`, `v` and `z`.
    pub path: String,
}

impl std::fmt::Debug for QrCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("QrCode")
    }
}

/// The QR code of a text with medium error correction; none if the text is too long for one.
pub fn qr_svg_path(text: &str) -> Option<QrCode> {
    let code = qrcode::QrCode::new(text).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        draw_row(&mut path, y + EDGE, row);
    }
    Some(QrCode {
        side: width + 2 * EDGE,
        path,
    })
}

/// Neighbours become one rectangle: a third of the length, and no seams between them.
fn draw_row(path: &mut String, y: usize, row: &[Color]) {
    let mut x = EDGE;
    for run in row.chunk_by(|one, other| one == other) {
        let length = run.len();
        if run.first() == Some(&Color::Dark) {
            // A string takes all that is written.
            let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
        }
        x += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dark modules of a path.
    fn drawn(path: &str) -> Vec<(usize, usize)> {
        let runs = path.split('z').filter(|run| !run.is_empty());
        let modules = runs.flat_map(|run| {
            let (start, rest) = run.strip_prefix('M').unwrap().split_once('h').unwrap();
            let (x, y) = start.split_once(' ').unwrap();
            let (length, back) = rest.split_once("v1h-").unwrap();
            assert_eq!(length, back);
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            (x..x + length.parse::<usize>().unwrap()).map(move |x| (x, y))
        });
        modules.collect()
    }

    #[test]
    fn what_is_drawn_is_the_code_with_its_edge() {
        let text = "otpauth://totp/Tanya:aminah?secret=GEZDGNBVGY3TQOJQ&issuer=Tanya";
        let code = qr_svg_path(text).unwrap();
        let expected = qrcode::QrCode::new(text).unwrap();
        assert_eq!(code.side, expected.width() + 8);
        let dark = drawn(&code.path);
        for y in 0..code.side {
            for x in 0..code.side {
                let inside = (4..code.side - 4).contains(&x) && (4..code.side - 4).contains(&y);
                let right = inside && expected[(x - 4, y - 4)] == Color::Dark;
                assert_eq!(dark.contains(&(x, y)), right, "{x} {y}");
            }
        }
    }

    #[test]
    fn the_first_run_is_the_top_of_a_corner() {
        assert!(
            qr_svg_path("Tanya")
                .unwrap()
                .path
                .starts_with("M4 4h7v1h-7z")
        );
    }

    #[test]
    fn nothing_that_was_given_gets_into_the_page() {
        let path = qr_svg_path("\"><script>alert(1)</script>").unwrap().path;
        assert!(
            path.chars()
                .all(|c| c.is_ascii_digit() || "Mhvz -".contains(c))
        );
    }

    #[test]
    fn what_does_not_fit_is_no_code() {
        assert!(qr_svg_path(&"a".repeat(3000)).is_none());
        assert!(qr_svg_path("").is_some());
    }

    #[test]
    fn a_code_is_not_printed() {
        assert_eq!(format!("{:?}", qr_svg_path("Tanya").unwrap()), "QrCode");
    }
}
