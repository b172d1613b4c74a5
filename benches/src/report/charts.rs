//! Charts as SVG, with text that is drawn by whoever shows them: nothing here needs a font.

use crate::engines::{Description, Gas};
use crate::results::{Results, Row, Section, number};
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const WIDTH: u32 = 960;
const LEFT: i32 = 330;
const RIGHT: i32 = 120;
const BAR: i32 = 15;
const HEAD: i32 = 46;
const SPACE: i32 = 30;

/// All charts with the names of their files.
pub(crate) fn all(results: &Results) -> Result<Vec<(String, String)>> {
    let charts = results.sections.iter().filter(|section| !section.rows.is_empty());
    charts.map(|section| Ok((file(section), chart(results, section)?))).collect()
}

/// The file of a section's chart.
pub(crate) fn file(section: &Section) -> String {
    format!("{}.svg", section.id)
}

/// A bar for each engine that has a number in this row.
fn bars<'a>(results: &'a Results, row: &'a Row) -> Vec<(String, Option<&'a Description>, f64)> {
    let mut bars = Vec::new();
    for entry in &row.entries {
        let Some(value) = entry.outcome.value() else { continue };
        let engine = results.engine(&entry.engine);
        let label = engine.map_or_else(
            || entry.engine.clone(),
            |engine| format!("{}{}", engine.name, super::document::gas_suffix(engine.gas)),
        );
        bars.push((label, engine, value));
    }
    bars
}

fn chart(results: &Results, section: &Section) -> Result<String> {
    let rows: Vec<_> = section.rows.iter().map(|row| (row, bars(results, row))).collect();
    let heights = rows.iter().map(|(_, bars)| SPACE + BAR * bars.len() as i32 + 12);
    let height = HEAD + heights.sum::<i32>();
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height as u32)).into_drawing_area();
        draw(&area, section, &rows).map_err(|error| anyhow!("{}: {error}", section.id))?;
        area.present().map_err(|error| anyhow!("{}: {error}", section.id))?;
    }
    Ok(svg)
}

type Bars<'a> = (&'a Row, Vec<(String, Option<&'a Description>, f64)>);

fn draw<'a, B: DrawingBackend + 'a>(
    area: &DrawingArea<B, Shift>,
    section: &Section,
    rows: &[Bars<'_>],
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    area.fill(&WHITE)?;
    let (black, gray) = (&RGBColor(30, 30, 30), &RGBColor(110, 110, 110));
    area.draw(&Text::new(section.title.clone(), (16, 18), text_style(18, black, HPos::Left)))?;
    let scale = "The scale is logarithmic; each group has its own. Shorter is better.";
    area.draw(&Text::new(scale, (16, 37), text_style(11, gray, HPos::Left)))?;
    let mut top = HEAD;
    for (row, bars) in rows {
        area.draw(&Text::new(row.title.clone(), (16, top + 16), text_style(13, black, HPos::Left)))?;
        top += SPACE;
        let least = bars.iter().map(|bar| bar.2).fold(f64::INFINITY, f64::min).max(1e-3);
        let most = bars.iter().map(|bar| bar.2).fold(0.0, f64::max).max(least * 1.001);
        let room = f64::from(WIDTH as i32 - LEFT - RIGHT);
        for (label, engine, value) in bars {
            let middle = top + BAR / 2;
            // The shortest bar is an eighth of the longest, so that all can be seen.
            let part = 0.125 + 0.875 * (value.max(least) / least).ln() / (most / least).ln();
            let end = LEFT + (room * part) as i32;
            let shape = [(LEFT, top + 2), (end, top + BAR - 2)];
            area.draw(&Rectangle::new(shape, color(*engine).filled()))?;
            area.draw(&Text::new(label.clone(), (LEFT - 8, middle), text_style(11, black, HPos::Right)))?;
            let value = number(*value, row.unit);
            area.draw(&Text::new(value, (end + 6, middle), text_style(11, black, HPos::Left)))?;
            top += BAR;
        }
        top += 12;
    }
    Ok(())
}

fn text_style(size: i32, color: &RGBColor, horizontal: HPos) -> TextStyle<'_> {
    TextStyle::from(("sans-serif", size).into_font()).color(color).pos(Pos::new(horizontal, VPos::Center))
}

/// Hatchery stands out; of one engine the gas models differ in shade.
fn color(engine: Option<&Description>) -> RGBColor {
    let Some(engine) = engine else { return RGBColor(120, 150, 180) };
    let light = engine.gas == Gas::Flat;
    match (engine.id.split('-').next().unwrap_or_default(), light) {
        ("hatchery", true) => RGBColor(240, 150, 80),
        ("hatchery", false) => RGBColor(220, 100, 20),
        ("polkavm", true) => RGBColor(140, 170, 220),
        ("polkavm", false) => RGBColor(80, 120, 190),
        ("javm", _) => RGBColor(90, 160, 160),
        ("native", _) => RGBColor(90, 90, 90),
        _ => RGBColor(170, 170, 170),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{About, Entry, Outcome, Unit};

    #[test]
    fn a_chart_has_bars_and_text_and_no_font() {
        let entry = |engine: &str, bytes| Entry { engine: engine.into(), outcome: Outcome::Bytes(bytes) };
        let row = Row {
            id: "row".into(),
            title: "A row & more".into(),
            unit: Unit::Bytes,
            entries: vec![
                entry("one", 1024.0),
                entry("two", 2048.0),
                Entry { engine: "three".into(), outcome: Outcome::Missing("not here".into()) },
            ],
        };
        let section =
            Section { id: "section".into(), title: "Title".into(), text: String::new(), rows: vec![row] };
        let about = About {
            processor: String::new(),
            processors: 1,
            system: String::new(),
            load: [0.0; 2],
            commit: String::new(),
            date: String::new(),
            command: String::new(),
            compilers: [String::new(), String::new()],
            samples: 1,
            sample_milliseconds: 1,
            remark: None,
        };
        let charts = all(&Results { about, engines: Vec::new(), sections: vec![section] }).unwrap();
        let [(name, svg)] = charts.as_slice() else { panic!("{} charts", charts.len()) };
        assert_eq!(name, "section.svg");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("A row &amp; more") && svg.contains("2.00 KiB") && !svg.contains("three"));
        // The background and two bars.
        assert_eq!(svg.matches("<rect").count(), 3);
        assert!(!svg.contains("font-face"));
    }
}
