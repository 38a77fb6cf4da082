package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/schemafiles"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/up"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/compat"
)

type schemaCheck struct {
	Files     []string          `arg:"" help:"Schemas (.avsc, .json), or folders with them; Avro's may name one another's types." placeholder:"FILE"`
	SubjectBy string            `help:"Rule for subjects: file (its name without the ending), topic (that with -value), record (the full name)." enum:"file,topic,record" default:"file"`
	Subject   string            `help:"Subject of the one file that is given." placeholder:"SUBJECT"`
	Reference map[string]string `help:"What the schemas refer to in the registry: a type's name, or the text of a $$ref. Not with --against." placeholder:"NAME=SUBJECT:VERSION"`
	Against   string            `help:"Ask no registry: compare with the schemas of this folder, by their names in it, or with this file." placeholder:"PATH"`
	Level     string            `help:"What --against compares: BACKWARD (the new read the old), FORWARD (the old read the new) or FULL." enum:"BACKWARD,FORWARD,FULL" default:"BACKWARD"`
	asksRegistry
	printing
}

// asksRegistry are the flags of the commands that ask a schema registry.
type asksRegistry struct {
	Registry string `help:"The registry's address; default http://127.0.0.1:8081." env:"PABAL_REGISTRY" placeholder:"URL"`
	Token    string `help:"Bearer token, where the registry asks for one; others do not see it in the variable." env:"PABAL_REGISTRY_TOKEN" placeholder:"TOKEN"`
	User     string `help:"User, for registries with passwords." env:"PABAL_REGISTRY_USER" placeholder:"USER"`
	Password string `help:"Password of the user; others do not see it in the variable." env:"PABAL_REGISTRY_PASSWORD" placeholder:"PASSWORD"`
	CA       string `name:"ca" help:"Certificate authorities of the registry (PEM)." env:"PABAL_REGISTRY_CA" type:"path" placeholder:"FILE"`
}

// Help is what --help says about the subcommand.
func (schemaCheck) Help() string {
	return `Nothing is registered. The registry compares at the level that it has for each subject; that decimals keep
their precision and scale, which registries do not look at, is compared here. A schema whose subject, or file
in --against, is not there is new, and breaks nobody.

Exit codes: 0 all may be merged, 1 one would break others or is no schema, 2 wrong flag or argument,
5 the registry does not accept the credentials, 7 it does not answer, or what answers is none.`
}

// checkedSchema is the answer about one file.
type checkedSchema struct {
	File    string `json:"file"`
	Subject string `json:"subject,omitempty"`
	compat.Result
}

// Run is called by kong.
func (c *schemaCheck) Run(ctx context.Context, s *streams) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	files, err := findSchemas(c.Files)
	if err != nil {
		return err
	}
	var all []checkedSchema
	if c.Against != "" {
		all, err = c.compare(files)
	} else {
		all, err = c.ask(ctx, files)
	}
	if err != nil && ctx.Err() != nil {
		return interrupt.ErrAborted
	}
	if err != nil {
		return err
	}
	if err := c.show(s, map[string]any{"schemas": all}, func(w io.Writer) { writeSchemas(w, all) }); err != nil {
		return err
	}
	broken := 0
	for _, one := range all {
		if !one.Compatible {
			broken++
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d schemas would break those who read or write with what is there", broken, len(all))
	}
	return nil
}

func findSchemas(paths []string) ([]schemafiles.File, error) {
	return schemafiles.Read(paths, ".avsc", ".json")
}

func texts(found []schemafiles.File) []compat.File {
	out := make([]compat.File, len(found))
	for i, f := range found {
		out[i] = compat.File{Name: f.Path, Text: f.Text}
	}
	return out
}

func (c *schemaCheck) ask(ctx context.Context, files []schemafiles.File) ([]checkedSchema, error) {
	if c.Subject != "" && len(files) > 1 {
		return nil, wrongUse("--subject=%s is for one file, and there are %d: use --subject-by", c.Subject, len(files))
	}
	references, err := compat.References(c.Reference)
	if err != nil {
		return nil, wrongUse("--reference: %w", err)
	}
	registry, err := c.client()
	if err != nil {
		return nil, err
	}
	defer registry.Close()
	schemas, err := compat.ReadReferring(ctx, registry, references, texts(files))
	switch {
	case errors.Is(err, compat.ErrSchema):
		return nil, err
	case err != nil:
		return nil, c.explain("--reference", err)
	}
	out := make([]checkedSchema, len(files))
	for i, f := range files {
		subject := c.Subject
		if subject == "" {
			if subject, err = compat.Subject(c.SubjectBy, schemas[i]); err != nil {
				return nil, err
			}
		}
		out[i] = checkedSchema{File: f.Path, Subject: subject}
		if out[i].Result, err = compat.Ask(ctx, registry, subject, schemas[i]); err != nil {
			return nil, c.explain(f.Path, err)
		}
	}
	return out, nil
}

const defaultRegistry = "http://127.0.0.1:8081"

func (a *asksRegistry) client() (*client.Client, error) {
	config := client.Config{URLs: []string{cmp.Or(a.Registry, defaultRegistry)}, Token: a.Token, User: a.User, Password: a.Password, RetryFor: -1}
	if a.CA != "" {
		authorities, err := up.Authorities(a.CA)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		config.TLS = &tls.Config{RootCAs: authorities}
	}
	c, err := client.New(config)
	if err != nil {
		return nil, wrongUse("%w", err)
	}
	return c, nil
}

// explain adds what to do about it, and the kind that decides about the exit code.
func (a *asksRegistry) explain(file string, err error) error {
	at := cmp.Or(a.Registry, defaultRegistry)
	if u, bad := url.Parse(at); bad == nil {
		at = u.Redacted()
	}
	switch {
	case errors.Is(err, client.ErrUnavailable):
		return askedError{&registryError{api.ErrUnavailable, fmt.Errorf("%s: %s: %w (name another with --registry, or ask none with --against)", file, at, err)}}
	case errors.Is(err, client.ErrUnauthorized):
		return askedError{&registryError{api.ErrUnauthenticated, fmt.Errorf("%s: %s: %w (give a token with PABAL_REGISTRY_TOKEN)", file, at, err)}}
	}
	return fmt.Errorf("%s: %s: %w", file, at, err)
}

// registryError has the text of one error, and the kind of the console's errors that it is.
type registryError struct {
	kind error
	error
}

func (e *registryError) Unwrap() []error { return []error{e.kind, e.error} }

func writeSchemas(w io.Writer, all []checkedSchema) {
	for _, one := range all {
		verdict := "ok"
		switch {
		case !one.Compatible:
			verdict = "not compatible"
		case one.New:
			verdict = "ok, new"
		}
		fmt.Fprintf(w, "%s: %s%s\n", text.Safe(one.File), verdict, comparedWith(one))
		for _, reason := range one.Reasons {
			fmt.Fprintf(w, "  %s\n", text.Safe(reason))
		}
	}
}

// comparedWith says what a schema was held against, in brackets.
func comparedWith(one checkedSchema) string {
	var out string
	add := func(name, value string) {
		if value != "" {
			out += ", " + name + text.Safe(value)
		}
	}
	add("subject ", one.Subject)
	add("version ", one.Version)
	add("", one.Level)
	if out == "" {
		return ""
	}
	return " (" + out[2:] + ")"
}
