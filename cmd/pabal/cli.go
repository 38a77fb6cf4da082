package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
)

// Exit codes, which stay.
const (
	exitOK       = 0
	exitError    = 1   // it could not start or go on
	exitUsage    = 2   // a flag or argument is wrong
	exitViolated = 3   // it ran, and the invariants do not hold
	exitAborted  = 130 // interrupted before it could finish
)

const about = `Event-driven services on one Kafka log: outbox, inbox and sagas.

Exit codes: 0 well, 1 it could not start or go on, 2 wrong flag or argument,
3 the invariants do not hold, 130 interrupted.`

// cli are the subcommands, one file each.
type cli struct {
	Demo    demoCommand    `cmd:"" help:"Run the order system with traffic, then count everything again."`
	Version versionCommand `cmd:"" help:"Print the version."`
	Service serviceCommand `cmd:"" hidden:"" help:"Run one service of a demo; its settings come from standard input."`
}

// streams are what a subcommand reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run is the program; it returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, stdout, stderr io.Writer) int {
	var c cli
	helped := false
	parser, err := kong.New(&c,
		kong.Name("pabal"), kong.Description(about), kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return fail(stderr, err)
	}
	parsed, err := parser.Parse(args)
	if helped { // kong goes on after --help
		return exitOK
	}
	if err != nil {
		return fail(stderr, &demo.UsageError{Text: err.Error() + " (see pabal --help)"})
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(&streams{in, stdout, stderr})
	return fail(stderr, parsed.Run())
}

// fail says what went wrong, in one line, and turns it into the exit code.
func fail(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "pabal: %s\n", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
	var usage *demo.UsageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, demo.ErrViolated):
		return exitViolated
	case errors.Is(err, demo.ErrAborted):
		return exitAborted
	}
	return exitError
}
