package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/cloudconfig"
)

// errAnswered: what was asked for (--help, --explain-config) is written, and there is
// nothing to run.
var errAnswered = errors.New("answered")

// parse reads the command line, the environment and the configuration server that one
// of them names; what stands first counts most.
func parse(ctx context.Context, d Definition, args []string, stdout, stderr io.Writer) (Config, error) {
	f := newFlags(d)
	parsed, err := f.parse(d, args, stdout, stderr, nil)
	if err != nil {
		return Config{}, err
	}
	log := newLogger(stderr, f.LogFormat, f.LogLevel)
	cloud, err := f.askServer(ctx, log)
	if err != nil {
		return Config{}, err
	}
	if cloud != nil {
		f = newFlags(d)
		if parsed, err = f.parse(d, args, stdout, stderr, cloud); err != nil {
			return Config{}, err
		}
		if err := cloud.unknown(parsed.Flags()); err != nil {
			return Config{}, err
		}
		log = newLogger(stderr, f.LogFormat, f.LogLevel)
	}
	if f.ExplainConfig {
		return Config{}, errors.Join(explainConfig(parsed, cloud, stdout), errAnswered)
	}
	return f.config(log), nil
}

// parse sets the flags; cloud may be nil.
func (f *flags) parse(d Definition, args []string, stdout, stderr io.Writer, cloud *cloud) (parsed *kong.Context, err error) {
	options := []kong.Option{
		kong.Name(d.Name), kong.Description(d.Summary),
		kong.DefaultEnvars(strings.ToUpper(d.Name)),
		kong.Vars{"name": d.Name, "group": d.group(), "codec": d.codec(), "port": fmt.Sprint(d.Port), "server": cloudconfig.Forms},
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { panic(errAnswered) }),
	}
	if cloud != nil {
		options = append(options, kong.Resolvers(cloud))
	}
	parser, err := kong.New(f, options...)
	if err != nil {
		return nil, err
	}
	if d.NoDatabase {
		hide(parser.Model.Flags)
	}
	defer func() { // kong goes on behind --help unless it is stopped
		if r := recover(); r == errAnswered {
			err = errAnswered
		} else if r != nil {
			panic(r)
		}
	}()
	if parsed, err = parser.Parse(args); err != nil {
		return nil, fmt.Errorf("%w (see %s --help)", err, d.Name)
	}
	if d.NoDatabase {
		return parsed, refuseUnused(d, parsed)
	}
	return parsed, nil
}

// unused are the flags of what a Definition with NoDatabase does not have.
var unused = []string{
	"database", "schema", "codec", "group", "dead-letters", "outbox-dead-letters", "outbox", "outbox-slot", "outbox-history", "inbox-history", "poll-interval", "poll-delay",
}

// refuseUnused of the command line. A configuration server may give to all services what some
// have no use for.
func refuseUnused(d Definition, parsed *kong.Context) error {
	for _, p := range parsed.Path {
		if p.Flag != nil && !p.Resolved && slices.Contains(unused, p.Flag.Name) {
			return fmt.Errorf("--%s: %s has no database, and nothing that this would set; leave it out (see %s --help)", p.Flag.Name, d.Name, d.Name)
		}
	}
	return nil
}

// hide keeps what is unused out of --help and --explain-config.
func hide(flags []*kong.Flag) {
	for _, flag := range flags {
		flag.Hidden = flag.Hidden || slices.Contains(unused, flag.Name)
	}
}
