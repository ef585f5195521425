//! One A4 page in the fonts that every reader has, written from the top down, with the sample's mark on it.

use pdf_writer::{Content, Name, Pdf, Rect, Ref, Str, TextStr};

const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
/// The left margin, in points.
pub const LEFT: f32 = 56.0;
/// The right margin, in points.
pub const RIGHT: f32 = WIDTH - 56.0;
const BANNER: f32 = 40.0;
const BANNER_TEXT: &str =
    "CONTOH \u{2013} bukan dokumen rasmi / SAMPLE \u{2013} not an official document";
const MARK: &str = "CONTOH / SAMPLE";

const REGULAR: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

/// A font with its size in points.
#[derive(Clone, Copy, Debug)]
pub enum Face {
    /// Helvetica.
    Regular(f32),
    /// Helvetica-Bold.
    Bold(f32),
}

impl Face {
    fn font(self) -> (Name<'static>, f32) {
        match self {
            Self::Regular(size) => (REGULAR, size),
            Self::Bold(size) => (BOLD, size),
        }
    }
}

/// A page that is being written.
pub struct Paper {
    content: Content,
    y: f32,
}

impl Paper {
    /// A page that says that it is a sample, and nothing else yet.
    pub fn new() -> Self {
        let mut paper = Self {
            content: Content::new(),
            y: HEIGHT - BANNER - 36.0,
        };
        paper.mark();
        paper.banner();
        paper
    }

    /// Moves on by so many points.
    pub fn down(&mut self, points: f32) {
        self.y -= points;
    }

    /// Writes text that begins at `x`.
    pub fn text(&mut self, x: f32, face: Face, text: &str) {
        self.show([1.0, 0.0, 0.0, 1.0, x, self.y], face, text);
    }

    /// Writes an amount that ends at `right`.
    pub fn amount(&mut self, right: f32, face: Face, text: &str) {
        let (_, size) = face.font();
        let width: f32 = text.chars().map(amount_width).sum();
        self.text(right - width * size, face, text);
    }

    /// Draws a line across the page.
    pub fn rule(&mut self) {
        let content = &mut self.content;
        content.set_stroke_gray(0.55).set_line_width(0.7);
        content
            .move_to(LEFT, self.y)
            .line_to(RIGHT, self.y)
            .stroke();
    }

    /// Lays a grey strip of that height behind the next line.
    pub fn shade(&mut self, height: f32) {
        let content = &mut self.content;
        content.set_fill_gray(0.92);
        content
            .rect(LEFT, self.y - height * 0.36, RIGHT - LEFT, height)
            .fill_nonzero();
        content.set_fill_gray(0.0);
    }

    /// The finished file.
    pub fn finish(self, title: &str) -> Vec<u8> {
        let mut ids = (1..).map(Ref::new);
        let mut next = || ids.next().unwrap_or(Ref::new(1));
        let (catalog, pages, page, contents, about) = (next(), next(), next(), next(), next());
        let fonts = [
            (REGULAR, next(), Name(b"Helvetica")),
            (BOLD, next(), Name(b"Helvetica-Bold")),
        ];
        let mut pdf = Pdf::new();
        let mut root = pdf.catalog(catalog);
        root.pages(pages).lang(TextStr("ms"));
        root.viewer_preferences().display_doc_title(true);
        drop(root);
        pdf.document_info(about).title(TextStr(title));
        pdf.pages(pages).kids([page]).count(1);
        let mut leaf = pdf.page(page);
        leaf.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT))
            .parent(pages)
            .contents(contents);
        leaf.resources()
            .fonts()
            .pairs(fonts.map(|(name, id, _)| (name, id)));
        drop(leaf);
        for (_, id, base) in fonts {
            pdf.type1_font(id)
                .base_font(base)
                .encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        pdf.stream(contents, &self.content.finish());
        pdf.finish()
    }

    /// Big and pale from corner to corner, behind everything.
    fn mark(&mut self) {
        self.content.set_fill_gray(0.9);
        let (sin, cos) = 52.0_f32.to_radians().sin_cos();
        self.show([cos, sin, -sin, cos, 110.0, 112.0], Face::Bold(72.0), MARK);
        self.content.set_fill_gray(0.0);
    }

    fn banner(&mut self) {
        let content = &mut self.content;
        content.set_fill_rgb(1.0, 0.9, 0.6);
        content
            .rect(0.0, HEIGHT - BANNER, WIDTH, BANNER)
            .fill_nonzero();
        content.set_fill_gray(0.0);
        let at = [1.0, 0.0, 0.0, 1.0, LEFT, HEIGHT - BANNER + 15.0];
        self.show(at, Face::Bold(12.5), BANNER_TEXT);
    }

    fn show(&mut self, matrix: [f32; 6], face: Face, text: &str) {
        let (font, size) = face.font();
        let content = &mut self.content;
        content
            .begin_text()
            .set_font(font, size)
            .set_text_matrix(matrix);
        content.show(Str(&win_ansi(text))).end_text();
    }
}

/// The widths of what amounts are written with, for a size of one point; both faces agree on digits.
fn amount_width(letter: char) -> f32 {
    match letter {
        '.' | ',' | ' ' => 0.278,
        '-' => 0.333,
        'R' => 0.722,
        'M' => 0.833,
        _ => 0.556,
    }
}

/// The text in the encoding of the page; what it lacks becomes a question mark.
fn win_ansi(text: &str) -> Vec<u8> {
    text.chars().map(byte).collect()
}

fn byte(letter: char) -> u8 {
    match letter {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(letter)).unwrap_or(b'?'),
        '\u{2018}' => 0x91,
        '\u{2019}' => 0x92,
        '\u{2013}' => 0x96,
        '\u{2014}' => 0x97,
        _ => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::win_ansi;

    #[test]
    fn letters_outside_ascii_keep_their_place() {
        assert_eq!(win_ansi("a\u{2013}é\u{6f22}"), [b'a', 0x96, 0xe9, b'?']);
    }
}
