package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/open"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// Help is what --help says about the subcommand.
func (outboxMove) Help() string {
	return `Has an outbox in PostgreSQL that is in use leave by another way. Who publishes now must still
run: the service with its relay, or the connector and the service with --outbox cdc. One
publishes all that is enqueued before, the other all after; nothing is lost or published
twice, and keys keep their order. Writers wait for two seconds at most. Where this is
killed, run it again.

An outbox without rows (--outbox cdc-message) is moved to a relay in the same way. To have
one, move it to cdc first, and restart the service with --outbox cdc-message then.

To cdc: then create the connector, if it is not there, and restart the service with
--outbox cdc. To relay: then restart the service with --outbox relay, and delete the
connector.`
}

type outboxMove struct {
	To       string        `required:"" enum:"relay,cdc" help:"relay, or cdc for change data capture." placeholder:"WAY"`
	Database string        `required:"" env:"PABAL_OUTBOX_DATABASE" help:"Where the outbox is: postgres://USER:PASSWORD@HOST:PORT/DATABASE." placeholder:"URL"`
	Schema   string        `help:"Schema of the outbox, for services their name. Default: the first of the search path." placeholder:"NAME"`
	Timeout  time.Duration `help:"How long to wait for who publishes now." default:"2m" placeholder:"TIME"`
}

// outboxIsThere keeps a wrong URL or schema from becoming an outbox of its own, which opening makes.
func (c *outboxMove) outboxIsThere(ctx context.Context) error {
	if scheme, _, _ := strings.Cut(c.Database, ":"); scheme != "postgres" && scheme != "postgresql" {
		return wrongUse("--database: outboxes are moved in PostgreSQL only: postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	there, err := postgres.HasOutbox(ctx, c.Database, c.Schema)
	if err == nil && !there {
		err = fmt.Errorf("there is no table pabal_outbox in this database's schema %q: check --database, and give a service's name as --schema", cmp.Or(c.Schema, "(the first of the search path)"))
	}
	return err
}

// Run is called by kong.
func (c *outboxMove) Run(ctx context.Context, s *streams) error {
	if c.Timeout <= 0 {
		return wrongUse("--timeout=%s: it must be above 0", c.Timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if err := c.outboxIsThere(ctx); err != nil {
		return err
	}
	db, err := open.DB(ctx, c.Database, open.Config{Schema: c.Schema})
	if err != nil {
		return err
	}
	defer db.Close()
	store, ok := db.(outbox.WayStore)
	if !ok {
		return outbox.ErrNoCapture
	}
	var told string
	err = outbox.Move(ctx, store, outbox.Way(c.To), outbox.MoveConfig{Look: time.Second, Progress: func(waiting string) {
		if told != waiting {
			fmt.Fprintln(s.err, waiting)
		}
		told = waiting
	}})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "What is enqueued from now on leaves by %s.\n", c.To)
	return nil
}
