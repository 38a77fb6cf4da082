package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/up"
	"github.com/pabal-dev/pabal/console/api"
	"golang.org/x/term"
)

const defaultServer = "http://127.0.0.1:8080"

// asking are the flags of the commands that ask a console.
type asking struct {
	Server         string `help:"The console's address; default http://127.0.0.1:8080." env:"PABAL_SERVER" placeholder:"URL"`
	Token          string `help:"Bearer token, where the console asks for one; others do not see it in the variable." env:"PABAL_TOKEN" placeholder:"TOKEN"`
	CA             string `name:"ca" help:"Certificate authorities of the console (PEM)." env:"PABAL_CA" type:"path" placeholder:"FILE"`
	AllowPlainHTTP bool   `name:"allow-plain-http" help:"Send the token over plain HTTP to an address that is not loopback."`
	printing
}

// printing is how an answer is written.
type printing struct {
	Output string `help:"text, or json: one document on standard output." enum:"text,json" default:"text"`
}

func (p printing) json() bool { return p.Output == "json" }

// listing bounds a list.
type listing struct {
	Search string `help:"Only what has this in its name." placeholder:"TEXT"`
	Limit  int    `help:"How many at most, 0 for all; default ${default}." default:"100" placeholder:"N"`
	Cursor string `help:"Go on where a list ended." placeholder:"CURSOR"`
}

// askedError is a console's answer, whose kind decides about the exit code.
type askedError struct{ error }

func (e askedError) Unwrap() error { return e.error }

// ask does something with the console. Ctrl-C ends it with interrupt.ErrAborted.
func (a *asking) ask(ctx context.Context, do func(context.Context, *api.Client) error) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	err = do(ctx, client)
	if err != nil && ctx.Err() != nil {
		return interrupt.ErrAborted
	}
	return a.explain(err)
}

func (a *asking) client() (*api.Client, error) {
	c := api.ClientConfig{URL: cmp.Or(a.Server, defaultServer), Token: a.Token, AllowPlainHTTP: a.AllowPlainHTTP}
	var err error
	if a.CA != "" {
		if c.CA, err = up.Authorities(a.CA); err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
	}
	client, err := api.NewClient(c)
	if err != nil {
		return nil, askedError{err}
	}
	return client, nil
}

// explain adds what to do about it, where that is the same for every command.
func (a *asking) explain(err error) error {
	var usage *usageError
	var problem *api.Problem
	switch {
	case err == nil || errors.As(err, &usage):
		return err
	case errors.Is(err, api.ErrUnauthenticated):
		err = fmt.Errorf("%w (give a token with PABAL_TOKEN; `pabal user token` makes one)", err)
	case errors.Is(err, api.ErrUnavailable) && !errors.As(err, &problem):
		err = fmt.Errorf("%w (start one with `pabal up`, or name another with --server)", err)
	}
	return askedError{err}
}

// show writes an answer: one JSON document, or text.
func (p printing) show(s *streams, answer any, text func(w io.Writer)) error {
	var b bytes.Buffer
	if p.json() {
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	} else {
		text(&b)
	}
	_, err := s.out.Write(b.Bytes())
	return err
}

// maxPage is the console's.
const maxPage = 500

// collect asks for page after page.
func collect[T any](l listing, ask func(api.PageQuery) (api.Page[T], error)) (api.Page[T], error) {
	all := api.Page[T]{Items: []T{}}
	q := api.PageQuery{Search: l.Search, Cursor: l.Cursor}
	for {
		q.Limit = maxPage
		if l.Limit > 0 {
			q.Limit = min(maxPage, l.Limit-len(all.Items))
		}
		page, err := ask(q)
		if err != nil {
			return all, err
		}
		all.Items = append(all.Items, page.Items...)
		all.Next, all.Total, q.Cursor = page.Next, page.Total, page.Next
		if page.Next == "" || l.Limit > 0 && len(all.Items) >= l.Limit {
			return all, nil
		}
	}
}

// check refuses a limit that means nothing.
func (l listing) check() error {
	if l.Limit < 0 {
		return wrongUse("--limit=%d: it is 0 for all, or how many", l.Limit)
	}
	return nil
}

// more says on standard error that the list goes on.
func (p printing) more(s *streams, next string) {
	if next != "" && !p.json() {
		fmt.Fprintf(s.err, "There is more: --cursor=%s\n", next)
	}
}

// confirming is the flag of every act.
type confirming struct {
	Yes bool `short:"y" help:"Do not ask on a terminal."`
}

// confirm asks a person on a terminal; a script is not asked.
func (c confirming) confirm(s *streams, question string, args ...any) error {
	if c.Yes || !isTerminal(s.in) {
		return nil
	}
	return confirmed(s, fmt.Sprintf(question, args...))
}

func confirmed(s *streams, question string) error {
	fmt.Fprintf(s.err, "%s [y/N] ", question)
	answer, _ := bufio.NewReader(s.in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return fmt.Errorf("nothing was done: %w", interrupt.ErrAborted)
}

// isTerminal says whether a stream is one.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
