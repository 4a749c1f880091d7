//! One call while it looks for who answers: those that could are asked in order, until one does.

use std::sync::Arc;
use std::time::Duration;

use super::ask::Ask;
use super::asking::Asking;
use super::cached::{self, Looked};
use super::call::{Order, clean};
use super::candidates::Candidate;
use super::context::{Fitted, Windows};
use super::dialect::{self, Addressee};
use super::health::{Health, Permit};
use super::hedge::{self, Side};
use super::meter::Account;
use super::rollout::Asker;
use super::store::provider::ProviderRow;
use super::tokens::{self, Later, Tokens};
use super::upstream::Begun;
use super::who::Found;
use super::{arrange, check, key_pace, spending, who};
use crate::cache::{Hit, Lead};
use crate::model::gateway::{CallSource, Choice, Fault, FaultClass, Hedge, Lack, Needs, Request};
use crate::runtime::Ctx;

/// Who answers.
pub(super) enum Answerer {
    /// The cache, for this one.
    Kept { hit: Hit, row: ProviderRow, model: String },
    /// This one.
    Asked {
        begun: Begun,
        permit: Permit,
        row: ProviderRow,
        model: String,
        lead: Option<Box<Lead>>,
        /// Tokens of what was sent, by our own count.
        reads: Tokens,
        /// What is held of a stream, to be counted in the end.
        later: Option<Box<Later>>,
    },
}

/// What those who are asked in turn have to do with each other.
struct Turn {
    /// When the next is asked as well; `None` where that is not wanted, or was done.
    hedge: Option<Hedge>,
    /// The place of one that was asked as well, and did not answer either.
    asked_too: Option<usize>,
}

/// One call while it looks for who answers.
pub(super) struct Attempt<'a> {
    ctx: &'a Ctx,
    order: &'a Order,
    request: &'a Request,
    pub choice: Choice,
    /// Spent at providers, and waiting for them.
    pub away: Duration,
}

impl<'a> Attempt<'a> {
    /// A call that has asked nobody yet.
    pub fn new(ctx: &'a Ctx, order: &'a Order) -> Self {
        let choice = Choice { asked: clean(&order.request.model), ..Choice::default() };
        Self { ctx, order, request: &order.request, choice, away: Duration::ZERO }
    }

    /// Finds who answers.
    ///
    /// # Errors
    /// Why nobody does.
    pub async fn run(&mut self, account: &mut Account) -> super::Result<Answerer> {
        let ctx = self.ctx;
        let asker = Asker {
            session: self.request.session(),
            on_behalf_of: self.order.on_behalf_of,
            agent: self.order.agent,
            is_fixed: false,
        };
        let asked = (self.request.dialect, self.order.source);
        let Found { rights, rows, route, candidates, rule, flags } =
            who::could_answer(ctx, &self.request.model, asked, asker).await?;
        self.choice.flags = flags;
        // Who summarizes for a key's call is asked within that call.
        if self.order.source == CallSource::Proxy {
            account.took(key_pace::enter(ctx, rights.as_ref(), self.request)?);
        }
        let (candidates, rule) = match &route {
            Some(route) => {
                let score = arrange::score(route, self.request);
                arrange::arrange(ctx, (route, score.as_ref()), self.request, &rows, (candidates, rule)).await?
            }
            None => (candidates, rule),
        };
        self.choice.rule = rule;
        // Whoever leaves early leaves this behind.
        account.note(|record| record.choice.clone_from(&self.choice));
        let plan = cached::plan(ctx, self.order, rights.as_ref(), route.as_ref()).await;
        let is_wished = cached::is_wished(self.order, rights.as_ref(), route.as_ref());
        let mut last: Option<Fault> = None;
        let mut is_admitted = false;
        let mut windows = Windows::of(self.order, route.as_ref());
        let mut turn = Turn { hedge: route.as_ref().and_then(|route| route.policy.hedge), asked_too: None };
        for (place, candidate) in candidates.iter().enumerate() {
            if turn.asked_too == Some(place) {
                continue;
            }
            let row = &rows[candidate.provider];
            let Fitted { request, used } = match self.fit(&mut windows, candidate).await {
                Ok(fitted) => fitted,
                Err(lack) => {
                    let fault = self.asking().lacks(row, candidate, lack);
                    last.get_or_insert(fault);
                    continue;
                }
            };
            if used.is_some() || self.choice.context.is_some() {
                account.asks(&request);
            }
            // A summary may be another the next time: what is asked with one is kept only where that is wished.
            let is_summarized = used.as_ref().is_some_and(|used| used.summarized);
            let plan = plan.as_ref().filter(|_| !is_summarized || is_wished);
            self.choice.context = used;
            note(account, row, candidate);
            let lead = match cached::look(ctx, plan, &request, row, candidate).await {
                Looked::Off => None,
                Looked::Hit(hit) => {
                    self.away += hit.waited;
                    self.asking().tried(row, candidate, 0, cached::verdict(&hit));
                    self.choice.notices = notices(&request, row, candidate);
                    check::draw(ctx, self.order, &request, (row, candidate), &hit);
                    return Ok(Answerer::Kept { hit, row: row.clone(), model: candidate.model.id.clone() });
                }
                Looked::Miss { lead, record: missed, waited } => {
                    self.away += waited;
                    account.note(|record| record.cache = Some(missed));
                    lead
                }
            };
            if self.order.cache.only {
                last = Some(cached::refuse_to_ask(account));
                continue;
            }
            // What is kept costs nothing: budgets are asked only now.
            if !std::mem::replace(&mut is_admitted, true)
                && let Some(record) = account.record()
            {
                let first = (row.id, candidate.model.id.as_str());
                let (held, warnings) = spending::admit(ctx, record, &*request, first).await?;
                drop(account.hold(held));
                self.choice.budgets = warnings;
            }
            let (got, by) = self.ask((&rows, &candidates), place, &request, &mut turn, account).await;
            let by = &candidates[by];
            match got {
                Ok((begun, permit)) => {
                    let row = &rows[by.provider];
                    self.choice.notices = notices(&request, row, by);
                    if let Some(route) = &route {
                        arrange::remember(ctx, route, self.request, (row.id, &by.model.id));
                    }
                    // Another's answer would be kept under another name: it is not.
                    let lead = lead.filter(|_| std::ptr::eq(by, candidate));
                    let reads = match &begun {
                        Begun::Whole(response, _) if response.usage.prompt() == 0 => {
                            tokens::of_request(ctx, &request, &by.model.id).await
                        }
                        _ => Tokens::estimated(request.reads()),
                    };
                    let later = match &begun {
                        Begun::Pieces(_) => Later::of(&request, &by.model.id).await.map(Box::new),
                        Begun::Whole(..) => None,
                    };
                    let (row, model) = (row.clone(), by.model.id.clone());
                    return Ok(Answerer::Asked { begun, permit, row, model, lead, reads, later });
                }
                Err(fault) if fault.class.may_differ_elsewhere() => {
                    // Of several failures, the one that tells most: that somebody rests tells least.
                    if last.is_none() || fault.class != FaultClass::Resting {
                        last = Some(fault);
                    }
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Err(last.unwrap_or_else(|| Fault::new(FaultClass::NoProvider, "nobody could be asked")).into())
    }

    /// Asks the one at `place`; where it is slow and the route wants that, another as well. Gives the place of the one whose answer it
    /// is.
    async fn ask(
        &mut self,
        (rows, candidates): (&[ProviderRow], &[Candidate]),
        place: usize,
        request: &Request,
        turn: &mut Turn,
        account: &mut Account,
    ) -> (Result<(Begun, Permit), Fault>, usize) {
        let side = |at: usize, has_others: bool| {
            let candidate = &candidates[at];
            Side { row: &rows[candidate.provider], candidate, has_others }
        };
        let first = side(place, (place + 1..candidates.len()).any(|other| turn.asked_too != Some(other)));
        let stand_in = turn.hedge.and_then(|hedge| Some((hedge, self.stand_in(rows, candidates, place, request)?)));
        let Some((hedge, other)) = stand_in else {
            let signs = Arc::default();
            account.watch(&signs);
            let mut asking = self.asking().of(account.record()).watched(&signs);
            return (asking.ask(request, first.row, first.candidate, first.has_others).await, place);
        };
        let notes = (&mut self.choice, &mut self.away);
        let sides = [first, side(other, true)];
        let both = hedge::ask((self.ctx, request), sides, hedge.after_ms, account, notes).await;
        if both.asked_other {
            (turn.hedge, turn.asked_too) = (None, Some(other));
        }
        (both.got, if both.by_other { other } else { place })
    }

    /// The request for one who could answer, unless it lacks what that takes.
    async fn fit(&mut self, windows: &mut Windows<'a>, candidate: &Candidate) -> Result<Fitted<'a>, Lack> {
        let model = &candidate.model;
        // Nobody is asked for a summary on behalf of one that can't answer anyway.
        if !self.request.tools.is_empty() && !model.tools {
            return Err(Lack::Tools);
        }
        let fitted = windows.fit(self.ctx, model).await;
        self.away += std::mem::take(&mut windows.away);
        let fitted = fitted?;
        let mut needs = Needs::of(&fitted.request);
        if let Some(holds) = model.context_tokens {
            let room = holds - model.answer_room(holds, needs.output);
            needs.input = windows.takes(self.ctx, model, &fitted.request, room).await;
        }
        match model.lacks(&needs) {
            Some(lack) => Err(lack),
            None => Ok(fitted),
        }
    }

    /// The next after `place` who could be asked as well, for the same request.
    fn stand_in(
        &self,
        rows: &[ProviderRow],
        candidates: &[Candidate],
        place: usize,
        request: &Request,
    ) -> Option<usize> {
        let needs = Needs::of(request);
        let health: Arc<Health> = self.ctx.shared();
        let now = self.ctx.clock.steady();
        (place + 1..candidates.len()).find(|other| {
            let other = &candidates[*other];
            let key = (rows[other.provider].id, other.model.id.clone());
            other.model.lacks(&needs).is_none() && health.refuses(&key, now).is_none()
        })
    }

    fn asking(&mut self) -> Asking<'_> {
        Asking::new(self.ctx, &mut self.choice, &mut self.away)
    }
}

/// What this one is not told, or told in another way.
fn notices(request: &Request, row: &ProviderRow, candidate: &Candidate) -> Vec<String> {
    match (row.kind(), row.wire(request.dialect)) {
        (Ok(kind), Ok(wire)) => dialect::notices(request, Addressee { kind, wire, model: &candidate.model }),
        _ => Vec::new(),
    }
}

/// Notes who is asked.
pub(super) fn note(account: &mut Account, row: &ProviderRow, candidate: &Candidate) {
    account.note(|record| {
        record.provider_id = Some(row.id);
        record.provider.clone_from(&row.name);
        record.model.clone_from(&candidate.model.id);
    });
}
