//! The colours of the report, by what they stand for, in light and in dark. Pure.
//!
//! A chart is drawn in the light colours, as attributes of its shapes. The page's style turns each of them into a
//! variable, so that one drawing serves both: a colour therefore stands for one thing only.

use std::fmt::Write;

use plotters::style::RGBColor;

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hue {
    /// Text of a chart.
    Ink,
    /// Lines to measure by.
    Grid,
    First,
    Second,
    Third,
    Fourth,
    /// Up, within, kept.
    Good,
    /// Down, outside, broken.
    Bad,
    /// A promise's limit.
    Limit,
    /// Where a value may lie, and the samples that decide.
    Bounds,
    /// While something is broken on purpose.
    Fault,
    /// Every other phase.
    Phase,
}

/// Each with its name and its red, green and blue in light and in dark.
const COLOURS: [(Hue, &str, u32, u32); 12] = [
    (Hue::Ink, "ink", 0x0057_606A, 0x009D_A7B3),
    (Hue::Grid, "grid", 0x00DF_E3E8, 0x0030_363D),
    (Hue::First, "first", 0x0025_63EB, 0x006E_A8FE),
    (Hue::Second, "second", 0x000F_766E, 0x002D_D4BF),
    (Hue::Third, "third", 0x007C_3AED, 0x00B7_94F6),
    (Hue::Fourth, "fourth", 0x00A1_6207, 0x00E3_B341),
    (Hue::Good, "good", 0x0016_8045, 0x0046_C973),
    (Hue::Bad, "bad", 0x00C8_1E1E, 0x00F8_7171),
    (Hue::Limit, "limit", 0x00B0_2A6B, 0x00FF_7EB6),
    (Hue::Bounds, "bounds", 0x0033_3F50, 0x00D5_DCE4),
    (Hue::Fault, "fault", 0x00EA_7A1A, 0x00FB_923C),
    (Hue::Phase, "phase", 0x0094_A3B8, 0x0064_748B),
];

impl Hue {
    /// For series whose order says nothing.
    pub(super) const SERIES: [Self; 4] = [Self::First, Self::Second, Self::Third, Self::Fourth];

    fn row(self) -> (Self, &'static str, u32, u32) {
        COLOURS.into_iter().find(|row| row.0 == self).unwrap_or(COLOURS[0])
    }

    /// The name of its variable, without the dashes.
    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    /// Its light colour, in which charts are drawn.
    pub(super) fn color(self) -> RGBColor {
        let [_, red, green, blue] = self.row().2.to_be_bytes();
        RGBColor(red, green, blue)
    }
}

/// The rules of the page's style that give every colour its value, and every shape of a chart its variable.
pub(super) fn style() -> String {
    let mut text = String::new();
    let root = |dark: bool| {
        let value =
            |row: &(Hue, &str, u32, u32)| format!("--{}:#{:06X};", row.1, if dark { row.3 } else { row.2 });
        format!(":root{{{}}}", COLOURS.iter().map(value).collect::<String>())
    };
    let _ =
        writeln!(text, "{}\n@media screen and (prefers-color-scheme:dark){{{}}}", root(false), root(true));
    for (_, name, light, _) in COLOURS {
        let _ = writeln!(
            text,
            "svg [fill=\"#{light:06X}\"]{{fill:var(--{name})}}svg [stroke=\"#{light:06X}\"]{{stroke:var(--{name})}}.key-{name}{{background:var(--{name})}}"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_colour_stands_for_one_thing_only() {
        let light: BTreeSet<u32> = COLOURS.iter().map(|row| row.2).collect();
        let names: BTreeSet<&str> = COLOURS.iter().map(|row| row.1).collect();
        assert_eq!((light.len(), names.len()), (COLOURS.len(), COLOURS.len()));
        let hues: BTreeSet<&str> = COLOURS.iter().map(|row| row.0.name()).collect();
        assert_eq!(hues, names);
        assert_eq!(Hue::First.color(), RGBColor(0x25, 0x63, 0xEB));
    }

    #[test]
    fn the_style_has_each_in_light_and_in_dark() {
        let style = style();
        for (hue, name, light, dark) in COLOURS {
            for due in [format!("--{name}:#{light:06X};"), format!("--{name}:#{dark:06X};")] {
                assert!(style.contains(&due), "{hue:?}: {due}");
            }
        }
    }
}
