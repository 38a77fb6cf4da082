package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
	"github.com/pabal-dev/pabal/console/api"
)

// Exit codes, which stay. Those of a console's answers are api.ExitCode's.
const (
	exitOK       = 0
	exitError    = 1   // it could not start or go on
	exitUsage    = 2   // a flag, argument or setting is wrong
	exitViolated = 3   // it ran, and the invariants do not hold
	exitAborted  = 130 // interrupted before it could finish
)

const about = `Event-driven services on one Kafka log: outbox, inbox and sagas.

Exit codes: 0 well, 1 it could not start or go on, 2 wrong flag, argument or
setting, 3 the invariants do not hold, 4 there is no such thing, 5 not allowed,
6 not in the present state, 7 console, Kafka or service does not answer or has
too much to do, 130 interrupted.`

// cli are the subcommands, one file each.
type cli struct {
	Up   upCommand   `cmd:"" help:"Run a Kafka broker and the console, or the console beside your Kafka."`
	Demo demoCommand `cmd:"" help:"Run the order system with traffic, then count everything again."`

	Trace       traceCommand       `cmd:"" group:"Ask a console:" help:"Show where a business transaction is, and why it is stuck."`
	Services    servicesCommand    `cmd:"" group:"Ask a console:" help:"List services and how they are."`
	Topics      topicsCommand      `cmd:"" group:"Ask a console:" help:"List, show and create topics."`
	Groups      groupsCommand      `cmd:"" group:"Ask a console:" help:"List, show and reset consumer groups."`
	Broker      brokerCommand      `cmd:"" group:"Ask a console:" help:"Look at the broker that pabal up runs: durability, disk, open transactions."`
	Produce     produceCommand     `cmd:"" group:"Ask a console:" help:"Write a message."`
	Consume     consumeCommand     `cmd:"" group:"Ask a console:" help:"Read messages."`
	Outbox      outboxCommand      `cmd:"" group:"Ask a console:" help:"Look into outboxes, replay rows, pause relays."`
	DeadLetters deadLettersCommand `cmd:"" group:"Ask a console:" help:"Look at what was given up, and send it again."`
	Waiting     waitingCommand     `cmd:"" group:"Ask a console:" help:"Look at what a consumer has put off, and release it."`
	Journal     journalCommand     `cmd:"" group:"Ask a console:" help:"Look at entities: their events, and their state at any of them."`
	Projections projectionsCommand `cmd:"" group:"Ask a console:" help:"List projections with their lag; pause, reset and rebuild them."`
	Sagas       sagasCommand       `cmd:"" group:"Ask a console:" help:"Look at sagas; retry, skip, force and resolve those that need somebody."`
	Streams     streamsCommand     `cmd:"" group:"Ask a console:" help:"Look at stream processing applications, query their stores, pause and reset them."`
	Connectors  connectorsCommand  `cmd:"" group:"Ask a console:" help:"Look at connectors; create, pause, restart and delete them, and set their offsets."`
	Violations  violationsCommand  `cmd:"" group:"Ask a console:" help:"List invariants that do not hold."`
	Audit       auditCommand       `cmd:"" group:"Ask a console:" help:"List who did what."`

	Schema     schemaCommand     `cmd:"" help:"Write Go types for schemas, and check changes of schemas before they are merged."`
	Config     configCommand     `cmd:"" help:"Explain the configuration of pabal up."`
	User       userCommand       `cmd:"" help:"Change the users file of the console."`
	Completion completionCommand `cmd:"" help:"Print a completion script for a shell."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Service    serviceCommand    `cmd:"" hidden:"" help:"Run one service of a demo; its settings come from standard input."`
}

// streams are what a subcommand reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a flag, argument or setting that cannot work.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func wrongUse(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// newParser makes the model of the command line.
func newParser(stdout, stderr io.Writer, exit func(int)) (*kong.Kong, error) {
	var c cli
	c.Up.configured, c.Config.Explain.configured = newConfigured(), newConfigured()
	return kong.New(&c,
		kong.Name("pabal"), kong.Description(about), kong.Writers(stdout, stderr), kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
}

// run is the program; it returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, stdout, stderr io.Writer) int {
	helped := false
	parser, err := newParser(stdout, stderr, func(int) { helped = true })
	if err != nil {
		return fail(stderr, err)
	}
	parsed, err := parser.Parse(args)
	if helped { // kong goes on after --help
		return exitOK
	}
	if err != nil {
		return fail(stderr, wrongUse("%w (see pabal --help)", err))
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(&streams{in, stdout, stderr}, parser)
	return fail(stderr, parsed.Run())
}

// fail says what went wrong, in one line, and turns it into the exit code.
func fail(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "pabal: %s\n", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
	return exitCode(err)
}

func exitCode(err error) int {
	var demoUsage *demo.UsageError
	var usage *usageError
	var asked askedError
	switch {
	case errors.As(err, &demoUsage), errors.As(err, &usage), errors.Is(err, config.ErrWrong):
		return exitUsage
	case errors.Is(err, demo.ErrViolated):
		return exitViolated
	case errors.Is(err, interrupt.ErrAborted):
		return exitAborted
	case errors.As(err, &asked):
		return api.ExitCode(err)
	}
	return exitError
}
