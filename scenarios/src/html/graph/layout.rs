//! Where the boxes of a graph stand, from left to right along its edges.
//!
//! Layers by longest path (Sugiyama, Tagawa and Toda 1981): edges that close a cycle are turned round, an edge over
//! several layers gets a bend in each between, a few sweeps order every layer by the mean place of its neighbours
//! and keep the order with the fewest crossings, and boxes then move towards their neighbours as far as the order
//! lets them. Each step is bounded; the result depends on nodes and edges alone.

/// The size of a box, in any unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    /// From left to right.
    pub(crate) width: f64,
    /// From top to bottom.
    pub(crate) height: f64,
}

/// What is left free between boxes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gaps {
    /// Between layers.
    pub(crate) across: f64,
    /// Between boxes of a layer.
    pub(crate) down: f64,
}

/// Where everything stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// The upper left corner of each box.
    pub(crate) nodes: Vec<(f64, f64)>,
    /// The way of each edge, from the side of one box to the side of another; empty for one from a box to itself.
    pub(crate) edges: Vec<Vec<(f64, f64)>>,
    /// Of the whole.
    pub(crate) size: Size,
}

/// Beyond so many bends, edges over several layers go straight.
const BENDS_MAX: usize = 20_000;
/// How often layers are sorted, and boxes moved.
const SWEEPS: usize = 12;

/// Lays out boxes and the edges between them, given as pairs of their places.
pub(crate) fn layout(sizes: &[Size], edges: &[(usize, usize)], gaps: Gaps) -> Layout {
    let forward = acyclic(sizes.len(), edges);
    let ranks = ranks(sizes.len(), &forward);
    let mut layers = Layers::new(sizes, &forward, &ranks);
    layers.order();
    layers.place(gaps.down);
    layers.finish(edges, &forward, gaps)
}

/// The edges with those turned round that close a cycle; none from a box to itself.
fn acyclic(nodes: usize, edges: &[(usize, usize)]) -> Vec<Option<(usize, usize)>> {
    let mut out = vec![vec![]; nodes];
    for (i, &(from, to)) in edges.iter().enumerate() {
        if from != to {
            out[from].push((to, i));
        }
    }
    // 0: not met, 1: on the way, 2: done. What leads back to a box on the way closes a cycle.
    let (mut state, mut turned) = (vec![0_u8; nodes], vec![false; edges.len()]);
    for root in 0..nodes {
        let mut way = if state[root] == 0 { vec![(root, 0)] } else { vec![] };
        while let Some((node, next)) = way.pop() {
            state[node] = 1;
            match out[node].get(next) {
                None => state[node] = 2,
                Some(&(to, edge)) => {
                    way.push((node, next + 1));
                    match state[to] {
                        0 => way.push((to, 0)),
                        1 => turned[edge] = true,
                        _ => {}
                    }
                }
            }
        }
    }
    let turn = |(&(from, to), turned): (&(usize, usize), bool)| match (from == to, turned) {
        (true, _) => None,
        (_, true) => Some((to, from)),
        (_, false) => Some((from, to)),
    };
    edges.iter().zip(turned).map(turn).collect()
}

/// The layer of each box: one more than the last of those that lead to it.
fn ranks(nodes: usize, edges: &[Option<(usize, usize)>]) -> Vec<usize> {
    let (mut out, mut open) = (vec![vec![]; nodes], vec![0_usize; nodes]);
    for &(from, to) in edges.iter().flatten() {
        out[from].push(to);
        open[to] += 1;
    }
    let mut ranks = vec![0; nodes];
    let mut ready = (0..nodes).filter(|&node| open[node] == 0).collect::<Vec<_>>();
    while let Some(node) = ready.pop() {
        for &to in &out[node] {
            ranks[to] = ranks[to].max(ranks[node] + 1);
            open[to] -= 1;
            if open[to] == 0 {
                ready.push(to);
            }
        }
    }
    ranks
}

/// Boxes and bends in layers.
struct Layers {
    /// How many are boxes; bends come after them.
    boxes: usize,
    /// Width and height; bends have none.
    sizes: Vec<Size>,
    rank: Vec<usize>,
    /// What stands in each layer, from top to bottom.
    layers: Vec<Vec<usize>>,
    /// Neighbours in the layer before and in the layer after.
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    /// The bends of each edge, from left to right.
    bends: Vec<Vec<usize>>,
    /// The place in the layer.
    place: Vec<usize>,
    /// The middle, from top to bottom.
    y: Vec<f64>,
}

impl Layers {
    fn new(sizes: &[Size], edges: &[Option<(usize, usize)>], ranks: &[usize]) -> Self {
        let count = ranks.iter().max().map_or(0, |last| last + 1);
        let mut this = Self {
            boxes: sizes.len(),
            sizes: sizes.to_vec(),
            rank: ranks.to_vec(),
            layers: vec![vec![]; count],
            before: vec![vec![]; sizes.len()],
            after: vec![vec![]; sizes.len()],
            bends: vec![vec![]; edges.len()],
            place: vec![],
            y: vec![],
        };
        let over = |(from, to): (usize, usize)| ranks[to] - ranks[from] - 1;
        let straight = edges.iter().flatten().map(|&edge| over(edge)).sum::<usize>() > BENDS_MAX;
        for (i, edge) in edges.iter().enumerate() {
            let Some((from, to)) = *edge else { continue };
            if straight && over((from, to)) > 0 {
                continue;
            }
            let mut last = from;
            for rank in ranks[from] + 1..ranks[to] {
                let bend = this.rank.len();
                this.rank.push(rank);
                this.sizes.push(Size { width: 0.0, height: 0.0 });
                this.before.push(vec![]);
                this.after.push(vec![]);
                this.bends[i].push(bend);
                this.link(last, bend);
                last = bend;
            }
            this.link(last, to);
        }
        for (node, &rank) in this.rank.iter().enumerate() {
            this.layers[rank].push(node);
        }
        this.place = vec![0; this.rank.len()];
        this.number();
        this
    }

    fn link(&mut self, from: usize, to: usize) {
        self.after[from].push(to);
        self.before[to].push(from);
    }

    fn number(&mut self) {
        for layer in &self.layers {
            for (place, &node) in layer.iter().enumerate() {
                self.place[node] = place;
            }
        }
    }

    /// Sorts the layers so that few edges cross.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.layers.clone());
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            for i in 0..self.layers.len() {
                let layer = if down { i } else { self.layers.len() - 1 - i };
                let neighbours = if down { &self.before } else { &self.after };
                let mean = |node: usize| {
                    let places = neighbours[node].iter().map(|&other| self.place[other] as f64);
                    let count = neighbours[node].len();
                    if count == 0 { self.place[node] as f64 } else { places.sum::<f64>() / count as f64 }
                };
                let mut keyed = self.layers[layer].iter().map(|&node| (mean(node), node)).collect::<Vec<_>>();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.layers[layer] = keyed.into_iter().map(|(_, node)| node).collect();
                for (place, &node) in self.layers[layer].iter().enumerate() {
                    self.place[node] = place;
                }
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.layers.clone());
            }
        }
        self.layers = best.1;
        self.number();
    }

    /// How many pairs of edges cross: the inversions among the right ends of edges sorted by their left ends, counted
    /// with a tree of partial sums (Fenwick 1994).
    fn crossings(&self) -> usize {
        let mut crossings = 0;
        for (i, layer) in self.layers.iter().enumerate() {
            let mut sums = vec![0_usize; self.layers.get(i + 1).map_or(0, Vec::len) + 1];
            let mut met = 0;
            for &node in layer {
                let mut ends = self.after[node].iter().map(|&to| self.place[to] + 1).collect::<Vec<_>>();
                ends.sort_unstable();
                for end in ends {
                    let mut at = end;
                    crossings += met;
                    while at > 0 {
                        crossings -= sums[at];
                        at &= at - 1;
                    }
                    at = end;
                    while at < sums.len() {
                        sums[at] += 1;
                        at += at & at.wrapping_neg();
                    }
                    met += 1;
                }
            }
        }
        crossings
    }

    /// Moves boxes towards the mean of their neighbours, within their order.
    fn place(&mut self, gap: f64) {
        self.y = vec![0.0; self.rank.len()];
        for layer in &self.layers {
            let mut y = 0.0;
            for &node in layer {
                self.y[node] = y + self.sizes[node].height / 2.0;
                y += self.sizes[node].height + gap;
            }
        }
        for sweep in 0..2 * SWEEPS {
            for i in 0..self.layers.len() {
                let layer = if sweep % 2 == 0 { i } else { self.layers.len() - 1 - i };
                let wish = |node: usize| {
                    let near = match sweep {
                        // At last boxes look to both sides.
                        sweep if sweep + 4 >= 2 * SWEEPS => [&self.before[node][..], &self.after[node][..]].concat(),
                        sweep if sweep % 2 == 0 => self.before[node].clone(),
                        _ => self.after[node].clone(),
                    };
                    let sum = near.iter().map(|&other| self.y[other]).sum::<f64>();
                    if near.is_empty() { self.y[node] } else { sum / near.len() as f64 }
                };
                let wishes = self.layers[layer].iter().map(|&node| wish(node)).collect::<Vec<_>>();
                let heights = self.layers[layer].iter().map(|&node| self.sizes[node].height).collect::<Vec<_>>();
                for (&node, y) in self.layers[layer].iter().zip(nearest(&wishes, &heights, gap)) {
                    self.y[node] = y;
                }
            }
        }
    }

    fn finish(self, edges: &[(usize, usize)], forward: &[Option<(usize, usize)>], gaps: Gaps) -> Layout {
        let nodes = self.boxes;
        let top =
            (0..self.y.len()).map(|node| self.y[node] - self.sizes[node].height / 2.0).fold(f64::INFINITY, f64::min);
        let bottom = (0..self.y.len()).map(|node| self.y[node] + self.sizes[node].height / 2.0).fold(top, f64::max);
        let mut x = vec![];
        let mut width = 0.0;
        for layer in &self.layers {
            x.push(width);
            width += layer.iter().map(|&node| self.sizes[node].width).fold(0.0, f64::max) + gaps.across;
        }
        let broad = |rank: usize| x.get(rank + 1).map_or(width, |next| *next) - gaps.across - x[rank];
        let corner = |node: usize| (x[self.rank[node]], self.y[node] - self.sizes[node].height / 2.0 - top);
        let way = |(i, &(from, to)): (usize, &(usize, usize))| {
            let Some((left, right)) = forward[i] else { return vec![] };
            let ((x_left, _), (x_right, _)) = (corner(left), corner(right));
            let mut way = vec![(x_left + self.sizes[left].width, self.y[left] - top)];
            for &bend in &self.bends[i] {
                let rank = self.rank[bend];
                way.push((x[rank], self.y[bend] - top));
                way.push((x[rank] + broad(rank), self.y[bend] - top));
            }
            way.push((x_right, self.y[right] - top));
            if (left, right) != (from, to) {
                way.reverse();
            }
            way
        };
        Layout {
            edges: edges.iter().enumerate().map(way).collect(),
            nodes: (0..nodes).map(corner).collect(),
            size: Size { width: (width - gaps.across).max(0.0), height: if nodes == 0 { 0.0 } else { bottom - top } },
        }
    }
}

/// The places nearest to those wished for that keep order and gaps: neighbours that would overlap form a block at
/// the mean of what its members wish (pool adjacent violators, Barlow and others 1972).
fn nearest(wishes: &[f64], heights: &[f64], gap: f64) -> Vec<f64> {
    // With the room that boxes and gaps need above each taken off, the order is all that is left to keep.
    let mut offsets = vec![];
    let mut offset = 0.0;
    for (i, height) in heights.iter().enumerate() {
        if i > 0 {
            offset += heights[i - 1] / 2.0 + gap + height / 2.0;
        }
        offsets.push(offset);
    }
    let mut blocks: Vec<(f64, usize)> = vec![];
    for (wish, offset) in wishes.iter().zip(&offsets) {
        let mut block = (wish - offset, 1);
        while let Some(&(mean, count)) = blocks.last() {
            if mean <= block.0 {
                break;
            }
            blocks.pop();
            let total = count + block.1;
            block = ((mean * count as f64 + block.0 * block.1 as f64) / total as f64, total);
        }
        blocks.push(block);
    }
    let places = blocks.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean, count));
    places.zip(offsets).map(|(mean, offset)| mean + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAPS: Gaps = Gaps { across: 50.0, down: 10.0 };

    fn laid_out(nodes: usize, edges: &[(usize, usize)]) -> Layout {
        let layout = layout(&vec![Size { width: 100.0, height: 40.0 }; nodes], edges, GAPS);
        assert_eq!((layout.nodes.len(), layout.edges.len()), (nodes, edges.len()));
        let finite = |&(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        assert!(layout.nodes.iter().all(finite) && layout.edges.iter().flatten().all(finite));
        for (i, a) in layout.nodes.iter().enumerate() {
            assert!(a.0 >= 0.0 && a.1 >= -1e-6 && a.1 + 40.0 <= layout.size.height + 1e-6, "{a:?} {:?}", layout.size);
            for b in &layout.nodes[..i] {
                assert!(a.0 != b.0 || (a.1 - b.1).abs() >= 50.0 - 1e-6, "{a:?} and {b:?} overlap");
            }
        }
        layout
    }

    /// Pairs that look random: a linear congruential generator is good enough for that.
    fn pairs(nodes: usize, count: usize) -> Vec<(usize, usize)> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % nodes
        };
        (0..count).map(|_| (next(), next())).collect()
    }

    #[test]
    fn edges_go_from_left_to_right() {
        let layout = laid_out(4, &[(0, 1), (1, 2), (0, 2), (2, 3)]);
        let across = layout.nodes.iter().map(|node| node.0).collect::<Vec<_>>();
        assert_eq!(across, [0.0, 150.0, 300.0, 450.0]);
        assert_eq!(layout.edges[0], [(100.0, layout.nodes[0].1 + 20.0), (150.0, layout.nodes[1].1 + 20.0)]);
        assert_eq!(layout.edges[2].len(), 4, "an edge over a layer goes round the box in it");
        assert_eq!(layout.size.width, 550.0);
    }

    #[test]
    fn few_edges_cross() {
        // Two pairs written so that their edges would cross.
        let layout = laid_out(4, &[(0, 3), (1, 2)]);
        assert!((layout.nodes[0].1 < layout.nodes[1].1) == (layout.nodes[3].1 < layout.nodes[2].1));
    }

    #[test]
    fn a_fan_is_centred() {
        let layout = laid_out(4, &[(0, 1), (0, 2), (0, 3)]);
        assert!((layout.nodes[0].1 - layout.nodes[2].1).abs() < 1e-6);
    }

    #[test]
    fn cycles_and_loops_are_fine() {
        let layout = laid_out(3, &[(0, 1), (1, 2), (2, 0), (1, 1), (0, 1)]);
        assert!(layout.edges[3].is_empty());
        let back = &layout.edges[2];
        assert!(back[0].0 > back[back.len() - 1].0, "an edge that closes a cycle runs back");
        laid_out(2, &[(0, 1), (1, 0)]);
        laid_out(1, &[(0, 0)]);
    }

    #[test]
    fn none_one_and_many() {
        assert_eq!(laid_out(0, &[]).size, Size { width: 0.0, height: 0.0 });
        assert_eq!(laid_out(1, &[]).size, Size { width: 100.0, height: 40.0 });
        let edges = pairs(300, 900);
        assert_eq!(laid_out(300, &edges), laid_out(300, &edges));
        laid_out(3000, &(0..2999).map(|i| (i, i + 1)).collect::<Vec<_>>());
        // Everyone calls everyone after: 45,000 edges over up to 299 layers.
        laid_out(300, &(0..300).flat_map(|a| (a + 1..300).map(move |b| (a, b))).collect::<Vec<_>>());
    }
}
