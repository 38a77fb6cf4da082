package main

import (
	"fmt"

	"github.com/pabal-dev/pabal/storage/postgres"
)

// Help is what --help says about the subcommand.
func (journalDDL) Help() string {
	return `The tables are those of Apache Pekko's R2DBC plugins. A service makes them when it
opens the database; this is for those who make tables themselves.`
}

type journalDDL struct {
	Schema string `help:"The schema to make them in; default the one of the search path." placeholder:"NAME"`
}

// Run is called by kong.
func (c *journalDDL) Run(s *streams) error {
	_, err := fmt.Fprint(s.out, postgres.JournalDDL(c.Schema))
	return err
}
