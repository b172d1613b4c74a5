//! Who holds what: capabilities and what they name, as text, for Graphviz, and as a drawing.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::cache::{CacheDirectory, CacheError};
use crate::cap::{Cap, CapHashOrRef, DataCap, InstanceCap, Kind};
use crate::hash::CapHash;
use crate::image::Image;

/// How many capabilities a graph shows at most.
const MAX_NODES: usize = 1000;
/// How much of data a label shows.
const MAX_TEXT: usize = 24;

/// Capabilities, from some of them on, with what they name.
///
/// The slots of an instance are shown as its own; its root node is not shown.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    roots: Vec<(String, usize)>,
    is_cut_off: bool,
}

#[derive(Clone, Debug)]
struct Node {
    hash: CapHash,
    kind: Kind,
    about: String,
    /// How it names others: `slot 3`, `image`, `pinned 4`, and the number of the other.
    edges: Vec<(String, usize)>,
    /// Steps from the nearest root.
    level: usize,
}

impl Graph {
    /// The graph from these capabilities on, which have names. At most a thousand capabilities are shown.
    ///
    /// # Errors
    /// If one of them is not there.
    pub fn of(
        cache: &mut CacheDirectory,
        roots: impl IntoIterator<Item = (String, CapHash)>,
    ) -> Result<Self, CacheError> {
        let mut graph = Self::default();
        let mut numbers: HashMap<CapHash, usize> = HashMap::new();
        for (name, hash) in roots {
            if let Some(number) = graph.number(cache, &mut numbers, hash, 0)? {
                graph.roots.push((name, number));
            }
        }
        let mut next = 0;
        while next < graph.nodes.len() {
            let (hash, level) = (graph.nodes[next].hash, graph.nodes[next].level);
            for (label, named) in named(cache, hash)? {
                match graph.number(cache, &mut numbers, named, level + 1)? {
                    Some(number) => graph.nodes[next].edges.push((label, number)),
                    None => graph.is_cut_off = true,
                }
            }
            next += 1;
        }
        Ok(graph)
    }

    fn number(
        &mut self,
        cache: &mut CacheDirectory,
        numbers: &mut HashMap<CapHash, usize>,
        hash: CapHash,
        level: usize,
    ) -> Result<Option<usize>, CacheError> {
        if let Some(&number) = numbers.get(&hash) {
            return Ok(Some(number));
        }
        if self.nodes.len() >= MAX_NODES {
            return Ok(None);
        }
        let cap = cache.get(hash)?;
        let number = self.nodes.len();
        numbers.insert(hash, number);
        self.nodes.push(Node { hash, kind: cap.kind(), about: about(&cap), edges: Vec::new(), level });
        Ok(Some(number))
    }

    /// A line for each way to a capability, indented; what was shown before is not shown in full again.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut shown = HashSet::new();
        for (name, root) in &self.roots {
            let mut pending = vec![(0, name.as_str(), *root)];
            while let Some((depth, label, number)) = pending.pop() {
                let Node { hash, kind, about, edges, .. } = &self.nodes[number];
                let again = !shown.insert(number);
                let _ = write!(text, "{:indent$}{label}: {kind} {hash:.8}", "", indent = depth * 2);
                if again && !edges.is_empty() {
                    text += " (see above)\n";
                    continue;
                }
                let _ = writeln!(text, "{}{about}", if about.is_empty() { "" } else { ", " });
                pending.extend(edges.iter().rev().map(|(label, to)| (depth + 1, label.as_str(), *to)));
            }
        }
        if self.is_cut_off {
            text += "... and more\n";
        }
        text
    }

    /// For Graphviz.
    pub fn dot(&self) -> String {
        let mut dot = String::from(
            "digraph capabilities {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n",
        );
        for (number, Node { hash, kind, about, edges, .. }) in self.nodes.iter().enumerate() {
            let label = format!("{kind} {hash:.8}\n{about}");
            let color = color(*kind);
            let _ = writeln!(dot, "  n{number} [label={label:?}, style=filled, fillcolor=\"{color}\"];");
            for (label, to) in edges {
                let _ = writeln!(dot, "  n{number} -> n{to} [label={label:?}];");
            }
        }
        for (index, (name, to)) in self.roots.iter().enumerate() {
            let _ = writeln!(dot, "  r{index} [label={name:?}, shape=plaintext];\n  r{index} -> n{to};");
        }
        dot += "}\n";
        dot
    }

    /// A drawing: a column for each distance from the roots.
    pub fn svg(&self) -> String {
        const WIDTH: usize = 240;
        const HEIGHT: usize = 44;
        const ACROSS: usize = 340;
        const DOWN: usize = 64;
        let mut rows: HashMap<usize, usize> = HashMap::new();
        let places: Vec<(usize, usize)> = self
            .nodes
            .iter()
            .map(|node| {
                let row = rows.entry(node.level).or_insert(0);
                *row += 1;
                (20 + node.level * ACROSS, 40 + (*row - 1) * DOWN)
            })
            .collect();
        let columns = rows.keys().max().map_or(0, |last| last + 1);
        let tallest = rows.values().max().copied().unwrap_or(0);
        let (width, height) = (columns * ACROSS, 50 + tallest * DOWN);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        for (node, &(x, y)) in self.nodes.iter().zip(&places) {
            for (number, (label, to)) in node.edges.iter().enumerate() {
                let (from_x, from_y) = (x + WIDTH, y + HEIGHT / 2);
                let (to_x, to_y) = (places[*to].0, places[*to].1 + HEIGHT / 2);
                let _ = writeln!(
                    svg,
                    "<path d=\"M{from_x} {from_y} C{} {from_y} {} {to_y} {to_x} {to_y}\" fill=\"none\" stroke=\"#888\"/>",
                    from_x + 50,
                    to_x.saturating_sub(50),
                );
                // Labels of the same box lie below each other.
                let at = from_y + (number % 4) * 12;
                let _ = writeln!(
                    svg,
                    "<text x=\"{}\" y=\"{at}\" fill=\"#555\">{}</text>",
                    from_x + 8,
                    escaped(label)
                );
            }
        }
        for (node, &(x, y)) in self.nodes.iter().zip(&places) {
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"4\" fill=\"{}\" stroke=\"#444\"/>\n<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{} {:.8}</text>\n<text x=\"{}\" y=\"{}\">{}</text>",
                color(node.kind),
                x + 8,
                y + 18,
                node.kind,
                node.hash,
                x + 8,
                y + 35,
                escaped(&node.about),
            );
        }
        for (name, to) in &self.roots {
            let (x, y) = places[*to];
            let _ =
                writeln!(svg, "<text x=\"{}\" y=\"{}\" fill=\"#060\">{}</text>", x + 4, y - 6, escaped(name));
        }
        svg += "</svg>\n";
        svg
    }
}

/// What a capability names, and how. An instance names what its slots hold.
fn named(cache: &mut CacheDirectory, hash: CapHash) -> Result<Vec<(String, CapHash)>, CacheError> {
    let slots = |node: &crate::CNode| -> Vec<(String, CapHash)> {
        node.iter()
            .filter_map(|(slot, cap)| Some((format!("slot {slot}"), CapHashOrRef::hash(cap)?)))
            .collect()
    };
    Ok(match &*cache.get(hash)? {
        Cap::Instance(instance) if instance.kernel().is_some() => Vec::new(),
        Cap::Instance(InstanceCap { image_hash, root_cnode, .. }) => {
            let mut named = vec![("image".to_owned(), *image_hash)];
            named.extend(slots(&cache.cnode(*root_cnode)?));
            named
        }
        Cap::Image(Image { pinned, initial, .. }) => {
            let pinned = pinned.iter().map(|content| (format!("pinned {}", content.slot), content.cap));
            let initial = initial.iter().map(|content| (format!("initial {}", content.slot), content.cap));
            pinned.chain(initial).collect()
        }
        Cap::CNode(node) => slots(node),
        Cap::Data(_) | Cap::Type(_) => Vec::new(),
    })
}

fn about(cap: &Cap) -> String {
    match cap {
        Cap::Instance(instance) => match instance.kernel() {
            Some((image, id)) => format!("{} {id}", image.label().trim_start_matches("kernel:")),
            None => match instance.rw_overlays.len() {
                0 => "memory as its mappings say".into(),
                1 => "1 page written".into(),
                pages => format!("{pages} pages written"),
            },
        },
        Cap::Image(image) => {
            let names: Vec<_> = image
                .endpoints
                .iter()
                .map(|endpoint| String::from_utf8_lossy(&endpoint.name).into_owned())
                .collect();
            format!("{} bytes of code: {}", image.code.len(), names.join(" "))
        }
        Cap::Data(data) => text_of(data),
        Cap::CNode(node) => format!("{} of {} slots", node.filled(), node.size()),
        Cap::Type(it) => format!("of {:.8}", it.image_hash_chain),
    }
}

/// How much there is and, if it is text, how it begins.
fn text_of(data: &DataCap) -> String {
    let bytes = data.prefix(MAX_TEXT as u64).unwrap_or_default();
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let pages = data.pages.len();
    let pages = if pages == 1 { "1 page".to_owned() } else { format!("{pages} pages") };
    match core::str::from_utf8(&bytes[..end]) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => format!("{pages}: {text}"),
        _ => pages,
    }
}

const fn color(kind: Kind) -> &'static str {
    match kind {
        Kind::Instance => "#cfe8ff",
        Kind::Image => "#ffe9b8",
        Kind::Data => "#e4f5d8",
        Kind::CNode => "#eeeeee",
        Kind::Type => "#f3dcf5",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CNode;

    #[test]
    fn a_graph_shows_who_holds_what() {
        let mut cache = CacheDirectory::default();
        let data = cache.put(Cap::Data(DataCap::new(b"a < b"))).unwrap();
        let mut root = CNode::root();
        root.set(2, Some(data)).unwrap();
        root.set(3, Some(data)).unwrap();
        let root = cache.put(Cap::CNode(root)).unwrap();
        let image = cache.put(Cap::Image(Image::from_code(vec![0], vec![1]))).unwrap();
        let instance = cache.put(Cap::Instance(InstanceCap::new(image, root, 0))).unwrap();
        let graph = Graph::of(&mut cache, [("it".to_owned(), instance)]).unwrap();
        let expected = format!(
            "it: instance {instance:.8}, memory as its mappings say\n  image: image {image:.8}, 1 bytes of code: \n  slot 2: data {data:.8}, 1 page: a < b\n  slot 3: data {data:.8}, 1 page: a < b\n"
        );
        assert_eq!(graph.text(), expected);
        assert_eq!(graph.dot().matches(" -> ").count(), 4);
        let svg = graph.svg();
        assert_eq!((svg.matches("<path").count(), svg.matches("a &lt; b").count()), (3, 1));
        let unknown = CapHash([9; 32]);
        assert!(Graph::of(&mut cache, [("no".to_owned(), unknown)]).is_err());
    }
}
