package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/cloudconfig"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
)

type configCommand struct {
	Explain configExplain `cmd:"" help:"Show every setting of pabal up: value, where it comes from, meaning."`
	Example configExample `cmd:"" help:"Print a configuration file with comments."`
}

// configured are the flags of settings, beside the file's.
type configured struct {
	Config string `help:"Configuration file; default is PABAL_CONFIG, else ./pabal.yaml where that is there." type:"path" placeholder:"FILE"`
	kong.Plugins

	flags *config.Flags
}

// newConfigured makes the flags for kong.
func newConfigured() configured {
	flags := config.NewFlags()
	return configured{Plugins: flags.Plugins(), flags: flags}
}

// load reads flags, environment, file and configuration server.
func (c *configured) load(ctx context.Context) (*config.Loaded, error) {
	loaded, err := config.Load(config.Input{
		File: c.Config, Flags: c.flags.Given(), Environ: os.Environ(), ReadFile: os.ReadFile,
		Fetch: fetch(ctx),
	})
	if errors.Is(err, config.ErrWrong) {
		return nil, &usageError{err}
	}
	return loaded, err
}

// fetch asks configuration servers until ctx ends.
func fetch(ctx context.Context) func(cloudconfig.Source) (*cloudconfig.Properties, error) {
	return func(s cloudconfig.Source) (*cloudconfig.Properties, error) { return s.Fetch(ctx) }
}

// Help is what --help says about the subcommand.
func (configExplain) Help() string {
	return `Takes the flags of pabal up. Flags count more than the environment, that more than the
file, that more than a configuration server, that more than the default. Secrets are only said to be set.`
}

type configExplain struct {
	configured
	printing
}

// Run is called by kong.
func (c *configExplain) Run(ctx context.Context, s *streams) error {
	loaded, err := c.load(ctx)
	if err != nil {
		return err
	}
	for _, warning := range loaded.Warnings {
		fmt.Fprintln(s.err, warning)
	}
	all := loaded.Explain()
	return c.show(s, all, func(w io.Writer) {
		var rows [][]string
		for _, e := range all {
			rows = append(rows, []string{e.Key, e.Text, e.Origin.String(), e.Help})
		}
		text.Table(w, []string{"SETTING", "VALUE", "FROM", "MEANING"}, rows)
	})
}

type configExample struct{}

// Run is called by kong.
func (configExample) Run(s *streams) error { return config.WriteExample(s.out) }
