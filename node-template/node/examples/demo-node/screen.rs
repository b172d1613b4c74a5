//! How the demo looks.

use anstream::println;
use anstyle::{AnsiColor, Style};
use hatchery_node_testing::Node;
use hatchery_node_testing::walkthrough::{Show, Summary};

const HEADING: Style = Style::new().bold();
const NAME: Style = AnsiColor::Cyan.on_default();
const CHECKED: Style = AnsiColor::Green.on_default();

/// Prints parts with numbers, facts under them, and what was checked. Colours are for terminals only.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    parts: usize,
}

impl Screen {
    pub(crate) fn heading(&mut self, text: &str) {
        self.parts += 1;
        println!("\n{HEADING}{}. {text}{HEADING:#}", self.parts);
    }

    pub(crate) fn line(&mut self, name: &str, value: &str) {
        println!("   {NAME}{name:<14}{NAME:#} {value}");
    }

    /// What to do with a node that goes on.
    pub(crate) fn next_steps(&mut self, node: &Node, Summary { contract, .. }: &Summary) {
        let url = node.url();
        let http = url.replacen("ws", "http", 1);
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        self.heading("To try next");
        println!("   What does another call do, in detail?\n");
        println!(
            "     curl -s -H 'Content-Type: application/json' {http} -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\
             \"virtualization_trace\",\"params\":[{{\"origin\":\"{alice}\",\"instance\":\"{}\",\"export\":\"increment\"}}]}}'\n",
            contract.address
        );
        println!("   Call it from a script, in Rust or in JavaScript (docs/node.md):\n");
        // Built together with this program; `cargo run` would build the node once more, with other features.
        match std::env::current_exe().map(|program| program.with_file_name("call")) {
            Ok(call) if call.is_file() => println!("     {} {url}", call.display()),
            _ => println!("     cargo run -p hatchery-node --example call -- {url}"),
        }
        println!("     npm ci --prefix node-template/javascript");
        println!("     node node-template/javascript/call.mjs {url}\n");
        println!("   Follow the node's log, and end it:\n");
        println!("     tail -f {}", node.log_file().display());
        println!("     kill -INT {}", node.process_id());
    }
}

impl Show for Screen {
    fn title(&mut self, text: &str) {
        self.heading(text);
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.line(name, value);
    }

    fn checked(&mut self, claim: &str) {
        println!("   {CHECKED}✓{CHECKED:#} {claim}");
    }
}
