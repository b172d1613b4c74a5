//! A node's Prometheus endpoint.

use crate::Error;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The values of a node's metrics at one time, by name with labels: `block_height{status="best"}`.
#[derive(Clone, Debug, Default)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Asks the endpoint at `address`.
    pub(crate) fn fetch(address: SocketAddr) -> Result<Self, Error> {
        let io = |source| Error::Io { doing: "cannot read the node's metrics", source };
        let mut stream = TcpStream::connect(address).map_err(io)?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(io)?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .map_err(io)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(io)?;
        Ok(Self::parse(&answer))
    }

    /// The sum over all labels of the metric called `name`; `None`: there is none.
    pub fn sum(&self, name: &str) -> Option<f64> {
        let values: Vec<f64> = self
            .0
            .iter()
            .filter(|(key, _)| key.split('{').next() == Some(name))
            .map(|(_, value)| *value)
            .collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// All names that begin with `prefix`, with their labels and values.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.as_str(), *value))
    }

    /// Lines of `name{labels} value`; anything else, such as comments and the header of the answer, is passed over.
    fn parse(text: &str) -> Self {
        let values = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.trim().rsplit_once(' ')?;
            let plain = name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains(':');
            Some((name.to_owned(), value.parse().ok()?)).filter(|_| plain)
        });
        Self(values.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let metrics = Metrics::parse(
            "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n# HELP a what\n# TYPE a counter\n\
             a{kind=\"x\"} 2\na{kind=\"y\"} 3.5\nb 1\nabc 7\n",
        );
        assert_eq!(metrics.sum("a"), Some(5.5));
        assert_eq!(metrics.sum("b"), Some(1.0));
        assert_eq!(metrics.sum("content-length:"), None);
        assert_eq!(metrics.sum("c"), None);
        assert_eq!(metrics.with_prefix("a").count(), 3);
    }
}
