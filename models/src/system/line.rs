//! Attempts that wait in one queue, whatever its discipline.
//!
//! Each priority has a [`Fifo`] of its own, so that forks share the chunks of long ones. Only a discipline by
//! priority uses others than the first.

use super::attempt::Attempt;
use super::fifo::Fifo;
use crate::policy::discipline::Order;

/// One queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// All, or by priority those of priority 0.
    common: Fifo<Attempt>,
    /// By priority: those of 1, 2 and so on, as far as there were any.
    urgent: Vec<Fifo<Attempt>>,
}

impl Line {
    /// An empty queue.
    pub(super) const fn new() -> Self {
        Self { common: Fifo::new(), urgent: Vec::new() }
    }

    /// Joins.
    #[inline]
    pub(super) fn push(&mut self, order: Order, attempt: Attempt) {
        let urgency = attempt.standing.priority();
        if order != Order::MostUrgent || urgency == 0 {
            return self.common.push(attempt);
        }
        self.push_urgent(usize::from(urgency), attempt);
    }

    #[cold]
    fn push_urgent(&mut self, urgency: usize, attempt: Attempt) {
        if self.urgent.len() < urgency {
            self.urgent.resize_with(urgency, Fifo::new);
        }
        self.urgent[urgency - 1].push(attempt);
    }

    /// Takes who is next while so many wait.
    #[inline]
    pub(super) fn pop(&mut self, order: Order, waiting: u32) -> Option<Attempt> {
        if order == Order::Oldest { self.common.pop() } else { self.pop_by(order, waiting) }
    }

    #[inline(never)]
    fn pop_by(&mut self, order: Order, waiting: u32) -> Option<Attempt> {
        match order {
            Order::NewestAbove(most) if waiting > most => self.common.pop_back(),
            Order::Oldest | Order::NewestAbove(_) => self.common.pop(),
            Order::MostUrgent => self.urgent.iter_mut().rev().find_map(Fifo::pop).or_else(|| self.common.pop()),
        }
    }

    /// Places, those of the cancelled included.
    pub(super) fn len(&self) -> usize {
        self.common.len() + self.urgent.iter().map(Fifo::len).sum::<usize>()
    }

    /// All, the most urgent first, the oldest first among equals.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Attempt> {
        self.urgent.iter().rev().chain([&self.common]).flat_map(Fifo::iter)
    }

    /// Takes all, in the same order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Attempt> {
        std::iter::from_fn(|| self.pop_by(Order::MostUrgent, 0))
    }

    /// Leaves out those for whom `keep` says so; the others keep their places.
    pub(super) fn retain(&mut self, order: Order, mut keep: impl FnMut(&Attempt) -> bool) {
        let kept: Vec<Attempt> = self.drain().filter(|attempt| keep(attempt)).collect();
        kept.into_iter().for_each(|attempt| self.push(order, attempt));
    }

    /// Lines all up anew for another discipline: by when they came.
    pub(super) fn reorder(&mut self, order: Order) {
        let mut all: Vec<Attempt> = self.drain().collect();
        all.sort_by_key(|attempt| attempt.arrived);
        all.into_iter().for_each(|attempt| self.push(order, attempt));
    }
}
