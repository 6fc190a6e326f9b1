//! Hedged calls: several attempts of one call are wanted at once.
//!
//! ```text
//!   sent --after--> one more --after--> ... one more      legs of one round
//!     |                 |                     |
//!     +---- first good reply wins ------------+--> the others run on, or are cancelled
//!     +---- all have failed, or the timeout --+--> the attempt has failed: a repeat is a new round
//! ```
//!
//! A call gets a [`Round`] when its first extra attempt is sent, and keeps it to its end; until then, and in
//! all other calls, nothing is different. With a round [`Call::replica`] is [`HEDGED`] and [`Call::visit`] its
//! number.
//!
//! A winner's rivals may be ending at the same instant, so they are not cancelled in the middle of the event in
//! which it wins: the slot stays behind as a zombie, whose timer cancels them within the instant, when
//! everything else has settled.

use super::attempt::{Attempt, Awaited, attempt_key};
use super::call::{Call, Phase};
use super::patience::PATIENT;
use super::visit::Doing;
use super::{Cx, NONE, State};
use crate::policy::hedge::MOST;
use crate::probe::{self, Cause, Probe};
use crate::topology::Site;
use sim_core::time::SimTime;

/// In place of a replica: the call has a round, and in place of a visit stands its number.
pub(super) const HEDGED: u32 = u32::MAX - 1;

const LEGS: usize = MOST as usize + 1;

/// The attempts of a call that are wanted at once.
#[derive(Clone, Debug)]
pub(super) struct Round {
    legs: [Leg; LEGS],
    /// The number of its first attempt.
    first: u8,
    /// Which legs have not ended, bit by bit.
    open: u8,
    /// Which were lost in a crash: no reply will come.
    lost: u8,
    /// Extra attempts of the call so far, those of earlier rounds included.
    extras: u8,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct Leg {
    /// The replica it was sent to, or [`NONE`].
    replica: u32,
    /// The visit it became, or [`NONE`] while it waits.
    visit: u32,
}

const NOWHERE: Leg = Leg { replica: NONE, visit: NONE };

impl Round {
    fn new(first: u8, extras: u8) -> Self {
        Self { legs: [NOWHERE; LEGS], first, open: 0, lost: 0, extras }
    }

    /// A repeat begins.
    pub(super) const fn begin(&mut self, first: u8) {
        (self.first, self.open, self.lost) = (first, 0, 0);
    }

    /// An attempt is sent.
    pub(super) fn send(&mut self, number: u8) {
        if let Some(leg) = self.leg(number) {
            self.legs[leg] = NOWHERE;
            self.open |= 1 << leg;
        }
    }

    fn leg(&self, number: u8) -> Option<usize> {
        number.checked_sub(self.first).map(usize::from).filter(|leg| *leg < LEGS)
    }

    /// The leg of that number, if it has not ended.
    fn open(&self, number: u8) -> Option<usize> {
        self.leg(number).filter(|leg| self.open & 1 << leg != 0)
    }
}

impl Site {
    /// When the next extra attempt of a call made here is due, if one may still come.
    pub(super) fn hedge_due(&self, call: &Call, now: SimTime) -> SimTime {
        let next = match (&self.hedge, call.phase) {
            (Some(hedge), Phase::Pool | Phase::Sent | Phase::Lost) => hedge.next(now.since(call.since)),
            _ => None,
        };
        next.map_or(SimTime::MAX, |next| call.since.saturating_add(next))
    }
}

impl State {
    /// Whether an attempt of a call with a round is wanted.
    #[cold]
    pub(super) fn leg_is_open(&self, round: u32, number: u8) -> bool {
        self.rounds[round].open(number).is_some()
    }

    /// Remembers the replica an attempt of a call was sent to.
    #[inline]
    pub(super) fn note_replica(&mut self, attempt: &Attempt, replica: u32) {
        let call = &mut self.calls[attempt.by];
        if call.replica != HEDGED {
            call.replica = replica;
        } else if let Some(leg) = self.rounds[call.visit].open(attempt.number) {
            self.rounds[call.visit].legs[leg].replica = replica;
        }
    }

    /// Remembers the replica and the visit of an attempt of a call that gets a thread.
    #[inline]
    pub(super) fn note_visit<P: Probe>(&mut self, cx: &mut Cx<'_, P>, attempt: &Attempt, replica: u32, visit: u32) {
        if self.calls[attempt.by].replica == HEDGED {
            return self.note_leg(attempt, replica, visit);
        }
        if !self.wanted(attempt) {
            return;
        }
        if self.calls[attempt.by].visit == PATIENT {
            self.end_patience(cx, attempt.by);
        }
        let call = &mut self.calls[attempt.by];
        (call.replica, call.visit) = (replica, visit);
    }

    /// The same for a leg that has not ended, wanted or about to be cancelled.
    #[cold]
    fn note_leg(&mut self, attempt: &Attempt, replica: u32, visit: u32) {
        let (key, round) = (self.calls[attempt.by].key, self.calls[attempt.by].visit);
        let leg = if key == attempt.key { self.rounds[round].open(attempt.number) } else { None };
        if let Some(leg) = leg {
            self.rounds[round].legs[leg] = Leg { replica, visit };
        }
    }

    /// Sends one more attempt if that is due now. With a pool it takes a connection that is free at once, or
    /// is not sent.
    #[cold]
    pub(super) fn hedge<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let call = &self.calls[slot];
        let site = &cx.topology.sites[usize::from(call.site)];
        let Some(hedge) = &site.hedge else { return };
        let sent = if call.replica == HEDGED { call.attempt - self.rounds[call.visit].first } else { 0 };
        let may = matches!(call.phase, Phase::Sent | Phase::Lost) && sent < hedge.most && call.attempt < u8::MAX;
        // An attempt that became patient under another design than the present one is not hedged.
        let may = may && (call.replica == HEDGED || call.visit != PATIENT);
        if !may || !hedge.is_due(cx.now.since(call.since)) {
            return;
        }
        let pool = self.pool_of(cx.topology, slot);
        if pool.is_some_and(|(replica, pool)| !self.connection_is_free(cx.topology, replica, pool)) {
            return;
        }
        let call = &mut self.calls[slot];
        if call.replica != HEDGED {
            let mut round = Round::new(call.attempt, 0);
            round.legs[0] = Leg { replica: call.replica, visit: call.visit };
            match call.phase {
                Phase::Lost => round.lost = 1,
                _ => round.open = 1,
            }
            call.visit = self.rounds.insert(round);
            call.replica = HEDGED;
        }
        self.rounds[call.visit].extras += 1;
        call.attempt += 1;
        cx.probe.attempt(cx.now, &probe::Attempt { site: call.site, request: call.request, attempt: call.attempt });
        if let Some((replica, pool)) = pool {
            self.take_connection(cx, replica, pool);
        }
        self.send(cx, slot);
    }

    /// How often the call has been repeated.
    #[inline]
    pub(super) fn repeats(&self, call: &Call) -> u8 {
        if call.replica == HEDGED { call.attempt - self.rounds[call.visit].extras } else { call.attempt }
    }

    /// A leg has ended.
    #[cold]
    pub(super) fn reply_to_leg<P: Probe>(&mut self, cx: &mut Cx<'_, P>, attempt: &Attempt, result: Result<(), Cause>) {
        let slot = attempt.by;
        let call = &self.calls[slot];
        let (phase, round) = (call.phase, call.visit);
        let Some(leg) = self.rounds[round].open(attempt.number) else { return };
        self.rounds[round].open &= !(1 << leg);
        self.release_connection(cx, slot);
        let left = self.rounds[round].open | self.rounds[round].lost;
        match (phase, result) {
            (Phase::Zombie, _) if self.rounds[round].open == 0 => self.free_call(slot),
            (Phase::Sent, Ok(())) => {
                let slot = self.end_round(cx, slot, false);
                self.finish_call(cx, slot, Ok(()));
            }
            (Phase::Sent, Err(cause)) if left == 0 => self.attempt_failed(cx, slot, cause),
            (Phase::Sent, Err(cause)) => cx.probe.attempt_failed(cx.now, attempt.site, cause),
            _ => {}
        }
    }

    /// The caller gives up a round: each leg has failed, the last of them by what the call makes of it.
    #[cold]
    pub(super) fn give_up_round<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let site = self.calls[slot].site;
        if cx.topology.services[usize::from(cx.topology.sites[usize::from(site)].callee)].watched {
            self.legs_timed_out(cx, self.calls[slot].visit);
        }
        let round = &self.rounds[self.calls[slot].visit];
        for _ in 1..(round.open | round.lost).count_ones() {
            cx.probe.attempt_failed(cx.now, site, Cause::Timeout);
        }
        let slot = self.end_round(cx, slot, true);
        self.attempt_failed(cx, slot, Cause::Timeout);
    }

    /// Nobody waits for the legs that are left. They keep their connections, or are cancelled: at once if
    /// everything in this event has `settled`, else when it has. Answers where the call is now.
    fn end_round<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32, settled: bool) -> u32 {
        self.release_lost(cx, slot);
        let call = &self.calls[slot];
        let site = &cx.topology.sites[usize::from(call.site)];
        let open = self.rounds[call.visit].open != 0;
        if open && site.cancel && settled {
            self.cancel_legs(cx, slot);
        } else if open && (site.cancel || site.pool.is_some()) {
            let cancel = site.cancel;
            let moved = self.leave_zombie(slot, site.caller);
            if cancel {
                self.calls[slot].due = cx.now;
                self.set_timer(cx, slot);
            }
            return moved;
        }
        slot
    }

    /// The replicas of all legs that have not ended have not answered in time.
    #[cold]
    fn legs_timed_out<P: Probe>(&mut self, cx: &mut Cx<'_, P>, round: u32) {
        let Round { legs, open, lost, .. } = self.rounds[round].clone();
        for (leg, Leg { replica, .. }) in legs.into_iter().enumerate().filter(|(_, leg)| leg.replica != NONE) {
            if (open | lost) & 1 << leg != 0 {
                self.unanswered(cx, replica, lost & 1 << leg != 0);
            }
        }
    }

    fn release_lost<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let round = &mut self.rounds[self.calls[slot].visit];
        for _ in 0..std::mem::take(&mut round.lost).count_ones() {
            self.release_connection(cx, slot);
        }
    }

    /// A round for a call that moves to another slot: its legs stay behind.
    pub(super) fn move_round(&mut self, call: &mut Call) {
        if call.replica == HEDGED {
            let extras = self.rounds[call.visit].extras;
            call.visit = self.rounds.insert(Round::new(call.attempt, extras));
        }
    }

    /// Cancels all legs of a call, wherever they are, and gives their connections back.
    #[cold]
    pub(super) fn cancel_legs<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        self.release_lost(cx, slot);
        let call = self.calls[slot].clone();
        let callee = cx.topology.sites[usize::from(call.site)].callee;
        let round = &mut self.rounds[call.visit];
        let (legs, first, open) = (round.legs, round.first, std::mem::take(&mut round.open));
        for (leg, Leg { replica, visit }) in legs.into_iter().enumerate().filter(|(leg, _)| open & 1 << leg != 0) {
            let number = first + leg as u8;
            if visit == NONE {
                self.cancel_waiting(cx, callee, replica, attempt_key(call.key, number), Cause::Timeout);
            } else {
                let v = &self.visits[visit];
                let same = v.attempt.key == call.key && v.attempt.number == number && v.attempt.by == slot;
                debug_assert!(same && v.attempt.awaited() == Awaited::Call && v.doing != Doing::Free);
                self.cancel_visit(cx, visit);
            }
            self.release_connection(cx, slot);
        }
    }

    /// A crash has lost a leg.
    #[cold]
    pub(super) fn lose_leg(&mut self, round: u32, number: u8) {
        let round = &mut self.rounds[round];
        if let Some(leg) = round.open(number) {
            round.open &= !(1 << leg);
            round.lost |= 1 << leg;
        }
    }
}
