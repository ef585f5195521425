//! The parts of a chart, as the partial `chart.html` draws them: numbers only.

/// A chart, ready to draw.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// The element's id; unique on the page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The same in a sentence with the numbers that matter, for those who do not see it.
    pub desc: String,
    /// The height in pixels.
    pub height: u32,
    /// Bars that lie, with their labels.
    pub bars: Vec<Bar>,
    /// Parts of columns that stand.
    pub columns: Vec<Column>,
    /// Lines across, with their values.
    pub grid: Vec<Grid>,
    /// Labels below.
    pub ticks: Vec<Tick>,
    /// Pieces of the line.
    pub line: Vec<Segment>,
    /// Points on the line.
    pub dots: Vec<Dot>,
    /// A line that is aimed at.
    pub goal: Vec<Grid>,
    /// What the series are called, in the order of their colours; empty for one series.
    pub legend: Vec<Key>,
    /// The table's column headings.
    pub head: Vec<String>,
    /// The table's rows, a label first.
    pub rows: Vec<Vec<String>>,
}

/// A lying bar: label and value above, the bar below.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// The value as read.
    pub value: String,
    /// The text's baseline.
    pub text_y: u32,
    /// The bar's upper edge.
    pub y: u32,
    /// The bar's length, as a percentage.
    pub width: String,
    /// Where the aim stands, as a percentage; empty without one.
    pub goal: String,
    /// Whether the value is beyond its aim.
    pub beyond: bool,
}

/// A part of a standing column.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Left edge, as a percentage.
    pub x: String,
    /// Upper edge.
    pub y: String,
    /// Width, as a percentage.
    pub width: String,
    /// Height.
    pub height: String,
    /// Which series, from 0.
    pub series: usize,
    /// What the pointer says.
    pub title: String,
}

/// A line across.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// Where.
    pub y: String,
    /// Its label's baseline.
    pub text_y: String,
    /// Its value.
    pub label: String,
}

/// A label below.
#[derive(Clone, Debug, Default)]
pub struct Tick {
    /// Middle, as a percentage.
    pub x: String,
    /// The text.
    pub label: String,
}

/// A piece of the line.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// From where, as a percentage.
    pub x1: String,
    /// From which height.
    pub y1: String,
    /// To where, as a percentage.
    pub x2: String,
    /// To which height.
    pub y2: String,
}

/// A point on the line.
#[derive(Clone, Debug, Default)]
pub struct Dot {
    /// Where, as a percentage.
    pub x: String,
    /// How high.
    pub y: String,
    /// What the pointer says.
    pub title: String,
}

/// A series' name.
#[derive(Clone, Debug, Default)]
pub struct Key {
    /// Which series, from 0.
    pub series: usize,
    /// The name.
    pub label: String,
}
