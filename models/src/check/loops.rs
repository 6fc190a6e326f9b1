//! Steps that are repeated, and steps of which some are enough.

use super::program::{Compiler, Context, MOST_BRANCHES, Ordinals, next};
use crate::blueprint::Step;
use crate::path::Path;
use crate::system::purpose;
use crate::times::{MOST_LOOPS, Times};
use crate::topology::Op;
use indexmap::IndexMap;

/// The most instructions that one `Repeat` becomes.
const MOST_OPS: usize = 200_000;

impl Compiler<'_> {
    /// A quorum of branches.
    pub(super) fn quorum(
        &mut self,
        path: &Path,
        need: u32,
        branches: &[Vec<Step>],
        context: &Context<'_>,
        ordinals: &mut Ordinals,
    ) {
        let count = branches.len();
        if need == 0 || need as usize > count {
            let message = format!("{need} of {count} branches are needed");
            let help = format!("write a number from 1 to {}, or use Send for what nobody waits for", count.max(1));
            self.problem(&path.name("need"), message, help);
        }
        if count > MOST_BRANCHES {
            let message = format!("{count} branches of one Quorum");
            return self.problem(&path.name("of"), message, format!("use at most {MOST_BRANCHES}"));
        }
        let at = self.ops.len();
        let targets = self.branches(&path.name("of"), branches, context, ordinals);
        let need = need.min(count as u32) as u16;
        self.ops[at] = Op::Quorum { targets, need, join: self.ops.len() as u32 };
    }

    /// Copies of the steps, one after the other, entered so that as many as are drawn are left.
    ///
    /// Draws and calls are named by how many loops are still to come: the last loop is the same whatever the
    /// number.
    pub(super) fn repeat(
        &mut self,
        path: &Path,
        times: &Times,
        steps: &[Step],
        context: &Context<'_>,
        ordinals: &mut Ordinals,
    ) {
        let draw = next(&mut ordinals.times, purpose::TIMES);
        let Some(probabilities) = times.probabilities() else {
            let message = format!("the steps may have to be repeated more than {MOST_LOOPS} times");
            let help = "write a smaller number or mean, or let one step stand for several";
            return self.problem(&path.index(0), message, help);
        };
        // Once to see what is wrong, and how much one copy takes.
        let (before, ops, sites, problems) = (ordinals.clone(), self.ops.len(), self.sites.len(), self.problems.len());
        let mut one = before.clone();
        self.steps(&path.index(1), steps, context, &mut one);
        let copies = probabilities.len() - 1;
        let size = |now: usize, before: usize| (now - before) * copies;
        let too_large =
            size(self.ops.len(), ops) > MOST_OPS || sites + size(self.sites.len(), sites) >= usize::from(u16::MAX);
        self.ops.truncate(ops);
        self.sites.truncate(sites);
        if too_large {
            let message = format!("{copies} times these steps, one after the other, are too many");
            return self.problem(path, message, "repeat fewer steps, or fewer times");
        }
        if self.problems.len() > problems {
            return;
        }
        let drawn = !matches!(times, Times::Fixed(_));
        if drawn {
            self.ops.push(Op::Goto(0));
        }
        let mut starts = Vec::new();
        for left in (0..copies).rev() {
            starts.push(self.ops.len() as u32);
            let mut ordinals = before.after(&one, left as u64);
            self.steps(&path.index(1), steps, context, &mut ordinals);
        }
        *ordinals = before.after(&one, copies as u64);
        starts.push(self.ops.len() as u32);
        if drawn {
            let mut so_far = 0.0;
            let mut targets: Vec<(f64, u32)> = probabilities
                .iter()
                .zip(starts.iter().rev())
                .map(|(p, start)| {
                    so_far += p;
                    (so_far, *start)
                })
                .collect();
            if let Some(last) = targets.last_mut() {
                last.0 = 1.0;
            }
            self.ops[ops] = Op::Branch { targets: targets.into(), draw };
        }
    }
}

impl Ordinals {
    /// The counts after `n` times what leads from these to those of `one`.
    fn after(&self, one: &Self, n: u64) -> Self {
        let on = |from: u64, to: u64| from + (to - from) * n;
        let all = |before: &IndexMap<String, u64>, after: &IndexMap<String, u64>| {
            let from = |name: &String| before.get(name).copied().unwrap_or(0);
            after.iter().map(|(name, to)| (name.clone(), on(from(name), *to))).collect()
        };
        Self {
            work: on(self.work, one.work),
            delay: on(self.delay, one.delay),
            branch: on(self.branch, one.branch),
            fail: on(self.fail, one.fail),
            times: on(self.times, one.times),
            calls: all(&self.calls, &one.calls),
            lookups: all(&self.lookups, &one.lookups),
        }
    }
}
