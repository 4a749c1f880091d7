//! A cron expression as a person reads it.

use super::Cron;
use super::field::Set;

const WEEK_DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Times of a day that are listed one by one.
const MOST_TIMES: usize = 6;

impl Cron {
    /// The expression as a sentence without its full stop: "At 09:00 on Monday to Friday".
    pub fn describe(&self) -> String {
        let mut sentence = self.times();
        let days = self.days_in_words();
        if !days.is_empty() {
            sentence = format!("{sentence} {days}");
        }
        let months = self.months.values();
        if months.len() < 12 {
            let names: Vec<&str> = months.iter().map(|month| MONTHS[usize::from(*month) - 1]).collect();
            sentence = format!("{sentence} in {}", runs(&months, |at| names[at].to_owned(), false));
        }
        sentence
    }

    fn times(&self) -> String {
        let (seconds, minutes, hours) = (self.seconds.values(), self.minutes.values(), self.hours.values());
        if minutes.len() * hours.len() <= MOST_TIMES && seconds.len() == 1 {
            let mut times = Vec::new();
            for hour in &hours {
                times.extend(minutes.iter().map(|minute| clock(*hour, *minute, seconds[0])));
            }
            let daily = if self.days_in_words().is_empty() { " every day" } else { "" };
            return format!("At {}{daily}", list(&times));
        }
        let within = self.hours_in_words(&hours);
        let base = match (rhythm(self.seconds, 60), rhythm(self.minutes, 60)) {
            (Some(1), Some(1)) => "Every second".to_owned(),
            (Some(step), Some(1)) => format!("Every {step} seconds"),
            _ if seconds.len() > 1 => {
                format!("At {} {} of {}", noun("second", &seconds), numbers(&seconds), minutes_in_words(self.minutes))
            }
            (_, Some(1)) => "Every minute".to_owned(),
            (_, Some(step)) => format!("Every {step} minutes"),
            _ if hours.len() == 24 && minutes == [0] => return "Every hour, on the hour".to_owned(),
            _ => format!("At {} {}", noun("minute", &minutes), numbers(&minutes)),
        };
        let late = if seconds.len() == 1 && seconds[0] > 0 {
            format!(", {} seconds late,", seconds[0])
        } else {
            String::new()
        };
        format!("{base}{late}{within}")
    }

    /// " past every hour", " between 09:00 and 17:59", " past every 2nd hour".
    fn hours_in_words(&self, hours: &[u8]) -> String {
        let frequent = rhythm(self.minutes, 60).is_some();
        match rhythm(self.hours, 24) {
            Some(1) if frequent => String::new(),
            Some(1) => " past every hour".to_owned(),
            Some(2) => " of every second hour".to_owned(),
            Some(step) => format!(" of every {} hour", ordinal(step)),
            None => {
                let in_a_row = hours.windows(2).all(|pair| pair[1] == pair[0] + 1);
                let (first, last) = (hours[0], hours[hours.len() - 1]);
                if in_a_row && frequent {
                    format!(" from {first:02}:00 to {last:02}:59")
                } else if in_a_row && hours.len() > 2 {
                    format!(" past the hours {first} to {last}")
                } else {
                    format!(" of {} {}", if hours.len() == 1 { "hour" } else { "hours" }, numbers(hours))
                }
            }
        }
    }

    fn days_in_words(&self) -> String {
        let mut parts = Vec::new();
        if !self.days.is_any() {
            let days = self.days.set.values();
            let mut named = Vec::new();
            if !days.is_empty() {
                named.push(format!("the {}", runs(&days, |at| ordinal(days[at]), false)));
            }
            named.extend(self.days.before_last.values().iter().map(|before| match before {
                0 => "the last day of the month".to_owned(),
                1 => "the day before the last of the month".to_owned(),
                before => format!("{before} days before the last of the month"),
            }));
            parts.push(list(&named));
        }
        if !self.week_days.is_any() {
            let days = self.week_days.set.values();
            let mut named = Vec::new();
            if !days.is_empty() {
                // Monday first, so that a weekend reads as one.
                let mut week: Vec<u8> = days.iter().map(|day| (day + 6) % 7).collect();
                week.sort_unstable();
                named.push(runs(&week, |at| WEEK_DAYS[usize::from(week[at] + 1) % 7].to_owned(), false));
            }
            named.extend(
                self.week_days
                    .last
                    .values()
                    .iter()
                    .map(|day| format!("the last {} of the month", WEEK_DAYS[usize::from(*day)])),
            );
            named.extend(
                self.week_days.nth.iter().map(|(day, which)| {
                    format!("the {} {} of the month", ordinal(*which), WEEK_DAYS[usize::from(*day)])
                }),
            );
            parts.push(list(&named));
        }
        if parts.is_empty() { String::new() } else { format!("on {}", parts.join(" or on ")) }
    }
}

fn clock(hour: u8, minute: u8, second: u8) -> String {
    if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}

/// The step of a set that begins at 0 and runs evenly to the end of `of`.
fn rhythm(set: Set, of: u8) -> Option<u8> {
    let values = set.values();
    let step = values.get(1)? - values.first()?;
    let even = values.first() == Some(&0) && values.windows(2).all(|pair| pair[1] - pair[0] == step);
    (even && of.is_multiple_of(step) && values.len() == usize::from(of / step)).then_some(step)
}

fn minutes_in_words(minutes: Set) -> String {
    match rhythm(minutes, 60) {
        Some(1) => "every minute".to_owned(),
        Some(step) => format!("every {step} minutes"),
        None => {
            let values = minutes.values();
            format!("{} {}", noun("minute", &values), numbers(&values))
        }
    }
}

fn noun(noun: &str, values: &[u8]) -> String {
    if values.len() == 1 { noun.to_owned() } else { format!("{noun}s") }
}

fn numbers(values: &[u8]) -> String {
    runs(values, |at| values[at].to_string(), true)
}

/// "1 to 5, 9 and 12": three or more in a row are a range.
fn runs(values: &[u8], name: impl Fn(usize) -> String, short: bool) -> String {
    let least = if short { 3 } else { 2 };
    let mut parts = Vec::new();
    let mut at = 0;
    while at < values.len() {
        let mut end = at;
        while end + 1 < values.len() && values[end + 1] == values[end] + 1 {
            end += 1;
        }
        if end - at >= least {
            parts.push(format!("{} to {}", name(at), name(end)));
        } else {
            parts.extend((at..=end).map(&name));
        }
        at = end + 1;
    }
    list(&parts)
}

fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn ordinal(number: u8) -> String {
    let ending = match (number % 10, number % 100) {
        (1, n) if n != 11 => "st",
        (2, n) if n != 12 => "nd",
        (3, n) if n != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_reads_as_a_sentence() {
        for (cron, expected) in [
            ("* * * * *", "Every minute"),
            ("*/15 * * * *", "Every 15 minutes"),
            ("@hourly", "Every hour, on the hour"),
            ("20 * * * *", "At minute 20 past every hour"),
            ("0 9 * * *", "At 09:00 every day"),
            ("0 9,17 * * *", "At 09:00 and 17:00 every day"),
            ("0 9 * * MON-FRI", "At 09:00 on Monday to Friday"),
            ("0 9 * * SAT,SUN", "At 09:00 on Saturday and Sunday"),
            ("*/10 9-17 * * 1-5", "Every 10 minutes from 09:00 to 17:59 on Monday to Friday"),
            ("0 0 1 * *", "At 00:00 on the 1st"),
            ("0 0 L * *", "At 00:00 on the last day of the month"),
            ("0 6 1 JAN,JUL *", "At 06:00 on the 1st in January and July"),
            ("0 9 * * FRIL", "At 09:00 on the last Friday of the month"),
            ("0 9 * * 1#2", "At 09:00 on the 2nd Monday of the month"),
            ("0 9 13 * FRI", "At 09:00 on the 13th or on Friday"),
            ("0 */6 * * *", "At 00:00, 06:00, 12:00 and 18:00 every day"),
            ("0 */2 * * *", "At minute 0 of every second hour"),
            ("*/5 * * * * *", "Every 5 seconds"),
            ("30 0 9 * * *", "At 09:00:30 every day"),
        ] {
            assert_eq!(cron.parse::<Cron>().expect(cron).describe(), expected, "{cron}");
        }
    }
}
