//! How an agent did: what it cost and did over the last 30 days, and its versions beside each other.

use leptos::prelude::*;

use crate::model::Timestamp;
use crate::model::agent::{AgentBucket, AgentResults, VersionResults};
use crate::ui::components::chart::{Chart, ChartData, ChartKind, ChartLegend, Series, SeriesLook, TableToggle, Unit};
use crate::ui::components::{Card, Column, DataTable, EmptyState};
use crate::ui::format;
use crate::ui::pages::dashboard::{slot_name, slots_of, use_zone};

/// Everything that was counted.
#[component]
pub(super) fn Results(results: AgentResults) -> impl IntoView {
    if results.tasks == 0 {
        return view! {
            <EmptyState title="No tasks in the last 30 days">
                "What its tasks cost, how they ended and how its versions compare is shown here once it has worked."
            </EmptyState>
        }
        .into_any();
    }
    let cut = results.is_cut.then(|| {
        let counted = format::count(results.tasks);
        view! { <p class="small dim">{format!("Counted are the newest {counted} tasks; there are older ones.")}</p> }
    });
    let (first, second, versions) = (results.clone(), results.clone(), results.versions);
    view! {
        {cut}
        <div class="grid agent-charts">
            <Cost results=first />
            <Ends results=second />
        </div>
        <Compared versions />
    }
    .into_any()
}

#[component]
fn Cost(results: AgentResults) -> impl IntoView {
    let zone = use_zone();
    let as_table = RwSignal::new(false);
    let total = results.buckets.iter().map(|bucket| bucket.cost_micros).sum();
    let name = format!("Cost a day: {} in 30 days.", format::dollars(total));
    let data = Memo::new(move |_| cost_data(&results, zone));
    let actions = move || view! { <TableToggle as_table /> };
    view! {
        <Card id="agent-cost" title="Cost a day" sub=Some(format!("{} in 30 days", format::dollars(total))) actions>
            <Chart id="agent-cost-chart" name kind=ChartKind::Lines data height=180 as_table nothing="Nothing was paid, or the models have no price" />
        </Card>
    }
}

#[component]
fn Ends(results: AgentResults) -> impl IntoView {
    let zone = use_zone();
    let as_table = RwSignal::new(false);
    let sum = |count: fn(&AgentBucket) -> i64| results.buckets.iter().map(count).sum::<i64>();
    let (done, failed) = (sum(|day| day.done), sum(|day| day.failed));
    let name = format!("Tasks a day: {} done and {} failed in 30 days.", format::count(done), format::count(failed));
    let sub = format!("{} in 30 days", format::count(results.tasks));
    let data = Memo::new(move |_| ends_data(&results, zone));
    let actions = move || {
        view! {
            <ChartLegend data />
            <TableToggle as_table />
        }
    };
    view! {
        <Card id="agent-ends" title="Tasks a day" sub=Some(sub) actions>
            <Chart id="agent-ends-chart" name kind=ChartKind::Bars data height=180 as_table nothing="No tasks in this time" />
        </Card>
    }
}

fn cost_data(results: &AgentResults, zone: impl Fn(Timestamp) -> i32 + Copy) -> ChartData {
    let values = results.buckets.iter().map(|bucket| Some(bucket.cost_micros as f64)).collect();
    ChartData {
        slots: slots_of(results.period, results.buckets.iter().map(|bucket| bucket.from), zone),
        series: vec![Series { name: "Cost", look: SeriesLook::Line { series: 1, dash: "", area: true }, values }],
        unit: Unit::Dollars,
        slot_name: slot_name(results.period),
    }
}

fn ends_data(results: &AgentResults, zone: impl Fn(Timestamp) -> i32 + Copy) -> ChartData {
    let part = |name, status, count: fn(&AgentBucket) -> i64| {
        let one = |bucket: &AgentBucket| Some(count(bucket) as f64).filter(|count| *count > 0.0);
        Series { name, look: SeriesLook::Status(status), values: results.buckets.iter().map(one).collect() }
    };
    // A legend of what there is none of only takes room.
    let parts = [
        part("Done", "succeeded", |bucket| bucket.done),
        part("Cancelled", "cancelled", |bucket| bucket.cancelled),
        part("Failed", "failed", |bucket| bucket.failed),
        part("Not over", "running", |bucket| bucket.open),
    ];
    ChartData {
        slots: slots_of(results.period, results.buckets.iter().map(|bucket| bucket.from), zone),
        series: parts.into_iter().filter(|part| part.values.iter().any(Option::is_some)).collect(),
        unit: Unit::Count,
        slot_name: slot_name(results.period),
    }
}

/// The versions beside each other.
#[component]
fn Compared(versions: Vec<VersionResults>) -> impl IntoView {
    let columns = vec![
        Column::text("Version"),
        Column::number("Done"),
        Column::number("Failed"),
        Column::number("Success rate"),
        Column::number("Turns"),
        Column::number("Tokens"),
        Column::number("Cost"),
        Column::number("Time"),
    ];
    let rows = versions.into_iter().map(|version| {
        let middle = version.median;
        let say = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        view! {
            <tr>
                <td>{format!("Version {}", version.version)}</td>
                <td class="num">{format::count(version.done)}</td>
                <td class="num">{format::count(version.failed)}</td>
                <td class="num">{say(share_done(&version))}</td>
                <td class="num">{say(middle.map(|middle| format::count(middle.turns)))}</td>
                <td class="num">{say(middle.map(|middle| format::short_count(middle.tokens)))}</td>
                <td class="num">{say(middle.map(|middle| format::dollars(middle.cost_micros)))}</td>
                <td class="num">{say(middle.map(|middle| format::duration(middle.duration_ms)))}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let sub = Some("turns, tokens, cost and time: the median of the tasks that are done".to_owned());
    view! {
        <Card id="agent-versions-compared" title="Versions compared" sub flush=true>
            <DataTable label="Versions compared" columns>{rows}</DataTable>
        </Card>
    }
}

/// The part of the tasks that ended by themselves and are done.
fn share_done(version: &VersionResults) -> Option<String> {
    let ended = version.done + version.failed;
    (ended > 0).then(|| format::percent(version.done as f64 / ended as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dashboard::Period;

    #[test]
    fn a_version_that_nobody_let_finish_has_no_share() {
        let version = |done, failed| VersionResults {
            version: 1,
            done,
            failed,
            cancelled: 4,
            open: 1,
            cost_micros: 9,
            median: None,
        };
        assert_eq!(share_done(&version(0, 0)), None);
        assert_eq!(share_done(&version(3, 1)).as_deref(), Some("75 %"));
    }

    #[test]
    fn a_day_on_which_nothing_was_paid_is_zero_and_one_without_tasks_has_no_bar() {
        let day = |number: i64, done, cost_micros| AgentBucket {
            from: Timestamp(0).plus_ms(number * 86_400_000),
            done,
            failed: 0,
            cancelled: 0,
            open: 0,
            cost_micros,
        };
        let results = AgentResults {
            period: Period::Month,
            at: Timestamp(0),
            tasks: 2,
            is_cut: false,
            buckets: vec![day(0, 0, 0), day(1, 2, 4_000)],
            versions: Vec::new(),
        };
        assert_eq!(cost_data(&results, |_| 0).series[0].values, [Some(0.0), Some(4_000.0)]);
        assert_eq!(ends_data(&results, |_| 0).series[0].values, [None, Some(2.0)]);
    }
}
