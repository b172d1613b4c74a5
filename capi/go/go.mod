module hatchery/libpvm

go 1.19
