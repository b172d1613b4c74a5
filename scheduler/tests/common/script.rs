//! Programs for the guest's case 100, which does what its arguments say.

/// What processes do, by role. The root has role 0.
#[derive(Clone, Default, Debug)]
pub(crate) struct Script {
    pub(crate) roles: Vec<Vec<u8>>,
}

impl Script {
    pub(crate) fn new(roles: usize) -> Self {
        Self { roles: vec![Vec::new(); roles] }
    }

    pub(crate) fn role(&mut self, role: usize) -> Steps<'_> {
        Steps(&mut self.roles[role])
    }

    /// The arguments of the root.
    pub(crate) fn arguments(&self) -> Vec<u8> {
        let mut bytes = vec![100, 0, self.roles.len() as u8];
        for code in &self.roles {
            bytes.extend((code.len() as u16).to_le_bytes());
            bytes.extend(code);
        }
        bytes
    }
}

/// Starts two more processes, which exchange bytes with the first and with each other.
pub(crate) fn three_processes() -> Vec<u8> {
    let mut script = Script::new(3);
    script
        .role(0)
        .pipe()
        .pipe()
        .spawn(1, &[0, 3])
        .write_checked(1, 5)
        .read_checked(2, 7)
        .wait_checked(0)
        .ret(3);
    script
        .role(1)
        .pipe()
        .spawn(2, &[3])
        .read_checked(0, 5)
        .spin(20)
        .read_checked(2, 9)
        .write_checked(1, 7)
        .wait_checked(0)
        .ret(0);
    script.role(2).spin(10).write_checked(0, 9).ret(0);
    script.arguments()
}

/// What one role does, one after the other. Descriptors and children are named by their place in the process's lists.
pub(crate) struct Steps<'a>(&'a mut Vec<u8>);

impl Steps<'_> {
    fn put(self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn long(self, operation: u8, at: u8, length: u16) -> Self {
        let [low, high] = length.to_le_bytes();
        self.put(&[operation, at, low, high])
    }

    pub(crate) fn ret(self, code: i8) -> Self {
        self.put(&[0, code as u8])
    }

    pub(crate) fn spawn(self, role: u8, descriptors: &[u8]) -> Self {
        self.put(&[1, role, descriptors.len() as u8]).put(descriptors)
    }

    pub(crate) fn pipe(self) -> Self {
        self.put(&[2])
    }

    pub(crate) fn read(self, at: u8, length: u16) -> Self {
        self.long(3, at, length)
    }

    pub(crate) fn write(self, at: u8, length: u16) -> Self {
        self.long(4, at, length)
    }

    pub(crate) fn close(self, at: u8) -> Self {
        self.put(&[5, at])
    }

    pub(crate) fn wait(self, child: u8) -> Self {
        self.put(&[6, child])
    }

    pub(crate) fn trap(self) -> Self {
        self.put(&[8])
    }

    /// Passes memory to a call that there is not.
    pub(crate) fn bad_memory(self) -> Self {
        self.put(&[11])
    }

    pub(crate) fn exit(self, code: i8) -> Self {
        self.put(&[14, code as u8])
    }

    pub(crate) fn spin(self, rounds: u16) -> Self {
        let [low, high] = rounds.to_le_bytes();
        self.put(&[9, low, high])
    }

    /// Reads so many bytes in as many calls as it takes, and checks them.
    pub(crate) fn read_checked(self, at: u8, length: u16) -> Self {
        self.long(12, at, length)
    }

    /// Writes the bytes that the other side expects.
    pub(crate) fn write_checked(self, at: u8, length: u16) -> Self {
        self.long(13, at, length)
    }

    /// Waits for a child, which must exit with 0.
    pub(crate) fn wait_checked(self, child: u8) -> Self {
        self.put(&[15, child])
    }
}
