//! A histogram of times: percentiles and bars as text, and the same as an SVG.
//!
//! The bars stand for times that grow by the same factor from one to the next, so that microseconds and seconds have
//! room in one picture.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

/// The limits of the bars within a factor of ten; the last is where the next ten begin.
const STEPS: [u64; 6] = [100, 150, 220, 330, 470, 680];

/// The longest bar, in characters.
const WIDTH: u64 = 50;

/// Percentiles that are named, beside the least and the most.
const PERCENTILES: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

pub struct Chart {
    title: String,
    /// "p99 15 us".
    marks: Vec<String>,
    /// The times from, and up to, which a bar counts, and how many there are.
    bars: Vec<(u64, u64, u64)>,
}

impl Chart {
    /// The chart of these times in nanoseconds, of which there is one at least.
    pub fn of(title: &str, times: &Histogram<u64>) -> Chart {
        let mut marks = vec![format!("min {}", spell(times.min()))];
        marks.extend(PERCENTILES.map(|each| format!("p{each} {}", spell(times.value_at_percentile(each)))));
        marks.push(format!("max {}", spell(times.max())));
        let limits = limits(times.min(), times.max());
        let mut bars: Vec<_> = limits.windows(2).map(|pair| (pair[0], pair[1], 0)).collect();
        for recorded in times.iter_recorded() {
            let above = limits.partition_point(|&limit| limit <= recorded.value_iterated_to());
            bars[above - 1].2 += recorded.count_at_value();
        }
        Chart { title: title.to_string(), marks, bars }
    }

    fn most(&self) -> u64 {
        self.bars.iter().map(|&(_, _, number)| number).max().unwrap_or(0).max(1)
    }

    /// The percentiles in one line, and a line for each bar. Whatever was counted has a bar that can be seen.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.marks.join("  "));
        for &(from, to, number) in &self.bars {
            let length = (number * WIDTH).div_ceil(self.most());
            let bar = "#".repeat(usize::try_from(length).unwrap_or(0));
            let line = format!("{:>8} .. {:<8} {bar} {number}", spell(from), spell(to));
            writeln!(text, "{}", line.trim_end()).expect("a String");
        }
        text
    }

    pub fn svg(&self) -> String {
        const ROW: usize = 20;
        const TOP: usize = 64;
        const LEFT: usize = 170;
        let height = TOP + self.bars.len() * ROW + 16;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 {height}\" font-family=\"sans-serif\" \
             font-size=\"13\">\n<rect width=\"800\" height=\"{height}\" fill=\"white\"/>\n\
             <text x=\"16\" y=\"26\" font-size=\"16\">{}</text>\n<text x=\"16\" y=\"48\" fill=\"#555\">{}</text>\n",
            escape(&self.title),
            self.marks.join(", ")
        );
        for (row, &(from, to, number)) in self.bars.iter().enumerate() {
            let (y, width) = (TOP + row * ROW, (number * 540).div_ceil(self.most()));
            writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} to {}</text>\
                 <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"#4477aa\"/>\
                 <text x=\"{}\" y=\"{}\" fill=\"#555\">{number}</text>",
                LEFT - 8,
                y + 13,
                spell(from),
                spell(to),
                ROW - 4,
                LEFT as u64 + width + 6,
                y + 13,
            )
            .expect("a String");
        }
        svg + "</svg>\n"
    }
}

/// The limits of bars that hold all from `min` to `max`.
fn limits(min: u64, max: u64) -> Vec<u64> {
    let steps = (0..17).flat_map(|power| STEPS.map(|step| step * 10_u64.pow(power) / 100));
    let mut limits: Vec<u64> = std::iter::once(0).chain(steps).chain([u64::MAX]).collect();
    limits.dedup();
    let first = limits.iter().rposition(|&limit| limit <= min).unwrap_or(0);
    let last = limits.iter().position(|&limit| limit > max).unwrap_or(limits.len() - 1);
    limits[first..=last].to_vec()
}

/// "15 us": a time of nanoseconds with three digits at most.
fn spell(nanoseconds: u64) -> String {
    let time = nanoseconds as f64;
    let (value, unit) = match nanoseconds {
        0..1_000 => (time, "ns"),
        1_000..1_000_000 => (time / 1e3, "us"),
        1_000_000..1_000_000_000 => (time / 1e6, "ms"),
        _ => (time / 1e9, "s"),
    };
    let digits = if value >= 100.0 || value.fract() == 0.0 { 0 } else { usize::from(value < 10.0) + 1 };
    format!("{value:.digits$} {unit}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(times: &[u64]) -> Chart {
        let mut histogram = Histogram::new(3).unwrap();
        times.iter().for_each(|&time| histogram.record(time).unwrap());
        Chart::of("a <b>", &histogram)
    }

    #[test]
    fn every_time_is_in_one_bar() {
        let chart = chart(&[0, 1, 999, 1_000, 1_001, 14_999_999, 15_000_000, 3_600_000_000_000]);
        assert_eq!(chart.bars.iter().map(|&(_, _, number)| number).sum::<u64>(), 8);
        assert!(chart.bars.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn a_bar_is_as_long_as_its_number_and_what_was_counted_can_be_seen() {
        let mut times = vec![1_100; 1000];
        times.push(2_000);
        let text = chart(&times).text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "min 1.10 us  p50 1.10 us  p90 1.10 us  p99 1.10 us  p99.9 1.10 us  max 2 us");
        assert_eq!(lines[1], format!("    1 us .. 1.50 us  {} 1000", "#".repeat(50)));
        assert_eq!(lines[2], " 1.50 us .. 2.20 us  # 1");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn the_picture_has_the_title_escaped_and_all_bars() {
        let svg = chart(&[1_000, 1_000_000]).svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains(">a &lt;b&gt;<"), "{svg}");
        assert_eq!(svg.matches("fill=\"#4477aa\"").count(), 19);
    }
}
