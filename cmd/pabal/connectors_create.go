package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// configuration is where one comes from.
type configuration struct {
	File string `arg:"" help:"JSON as Kafka Connect takes it: {\"name\": …, \"config\": {…}}, or the settings alone; - reads standard input."`
	Name string `help:"The connector's name, where the JSON does not have it." placeholder:"NAME"`
}

// maxConfiguration bounds a file, in bytes; the console takes no more.
const maxConfiguration = 2 << 20

func (c configuration) read(s *streams) (api.ConnectorConfig, error) {
	in := s.in
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return api.ConnectorConfig{}, wrongUse("%w", err)
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxConfiguration+1))
	if err != nil {
		return api.ConnectorConfig{}, err
	}
	if len(data) > maxConfiguration {
		return api.ConnectorConfig{}, wrongUse("%s has more than %d bytes", c.File, maxConfiguration)
	}
	return c.parse(data)
}

func (c configuration) parse(data []byte) (api.ConnectorConfig, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return api.ConnectorConfig{}, wrongUse("%s is not a JSON object: %w", c.File, err)
	}
	name := ""
	if inner, ok := given["config"]; ok && len(inner) > 0 && inner[0] == '{' {
		_ = json.Unmarshal(given["name"], &name) // one that is no text is missing
		given = nil
		if err := json.Unmarshal(inner, &given); err != nil {
			return api.ConnectorConfig{}, wrongUse("%s: config is not a JSON object: %w", c.File, err)
		}
	}
	out := api.ConnectorConfig{Config: map[string]string{}}
	for key, raw := range given {
		var value string
		if json.Unmarshal(raw, &value) != nil || raw[0] != '"' {
			if raw[0] == '{' || raw[0] == '[' || raw[0] == 'n' {
				return out, wrongUse("%s: %s must be text, a number, true or false", c.File, key)
			}
			value = string(raw)
		}
		out.Config[key] = value
	}
	out.Connector = cmp.Or(c.Name, name, out.Config["name"])
	if out.Connector == "" {
		return out, wrongUse("%s has no name; give one with --name", c.File)
	}
	return out, nil
}

type connectorsValidate struct {
	configuration
	asking
}

// Help is what --help says about the subcommand.
func (connectorsValidate) Help() string {
	return `What is wrong is listed setting by setting, and the exit code is 2 then. The check may ask
the database that the configuration names.`
}

// Run is called by kong.
func (c *connectorsValidate) Run(ctx context.Context, s *streams) error {
	given, err := c.read(s)
	if err != nil {
		return err
	}
	given.DryRun = true
	var checked api.ConnectorChecked
	err = c.ask(ctx, func(ctx context.Context, client *api.Client) (err error) {
		if checked, err = client.CreateConnector(ctx, given); err != nil {
			return err
		}
		return c.show(s, checked, func(w io.Writer) { writeChecked(w, checked) })
	})
	if err == nil && len(checked.Problems) > 0 {
		return wrongUse("%d of its settings are wrong", len(checked.Problems))
	}
	return err
}

func writeChecked(w io.Writer, c api.ConnectorChecked) {
	for _, warning := range c.Warnings {
		fmt.Fprintf(w, "Warning: %s\n", text.Safe(warning))
	}
	if len(c.Problems) == 0 {
		fmt.Fprintln(w, "Nothing is wrong with it.")
		return
	}
	var rows [][]string
	for _, p := range c.Problems {
		rows = append(rows, []string{p.Setting, p.Detail})
	}
	text.Table(w, []string{"SETTING", "WHAT IS WRONG"}, rows)
}

type connectorsCreate struct {
	configuration
	Replace bool `help:"Where there is one of that name, replace its configuration."`
	confirming
	asking
}

// Run is called by kong.
func (c *connectorsCreate) Run(ctx context.Context, s *streams) error {
	given, err := c.read(s)
	if err != nil {
		return err
	}
	if c.Replace {
		if err := c.confirm(s, "Replace the configuration of %s, if there is one?", text.Safe(given.Connector)); err != nil {
			return err
		}
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		what := "Created"
		done, err := client.CreateConnector(ctx, given)
		if errors.Is(err, api.ErrConflict) && c.Replace {
			what = "Changed"
			done, err = client.ConfigureConnector(ctx, given)
		}
		if err != nil {
			return err
		}
		return c.show(s, done, func(w io.Writer) {
			for _, warning := range done.Warnings {
				fmt.Fprintf(w, "Warning: %s\n", text.Safe(warning))
			}
			fmt.Fprintf(w, "%s %s; `pabal connectors show %[2]s` says how it is.\n", what, text.Safe(done.Connector))
		})
	})
}
