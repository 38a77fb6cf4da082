// Package smt is what single message transforms have in common: the part of a record that they
// work on, schemas that are made once per schema they come from, and Java's regular expressions
// and field paths as configurations write them.
package smt
