// Package eostest is tests that shake an application of streams: its instances are
// processes that are killed, frozen and stopped, and the brokers go down as well. Afterwards
// every record of every output, as a read-committed consumer sees it, is compared
// with what the input makes it, and so is every store.
//
// It has no code but tests.
package eostest
