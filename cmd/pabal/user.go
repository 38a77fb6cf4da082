package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
	"golang.org/x/term"
)

type userCommand struct {
	Add    userAdd    `cmd:"" help:"Add a user; the password is asked for."`
	Token  userToken  `cmd:"" help:"Make a bearer token, for programs."`
	List   userList   `cmd:"" help:"List users and tokens."`
	Remove userRemove `cmd:"" help:"Remove a user or a token."`
	Passwd userPasswd `cmd:"" help:"Give a user a new password."`
}

// usersFile is the flag of every command about users.
type usersFile struct {
	File string `help:"The users file; default is console.users of the configuration." type:"path" placeholder:"FILE"`
}

// path is the file named, or the one pabal up would use here.
func (u usersFile) path(ctx context.Context) (string, error) {
	if u.File != "" {
		return u.File, nil
	}
	loaded, err := config.Load(config.Input{Environ: os.Environ(), ReadFile: os.ReadFile, Fetch: fetch(ctx)})
	if err != nil {
		return "", err
	}
	if loaded.Console.Users == "" {
		return "", wrongUse("which file? Name it with --file, PABAL_CONSOLE_USERS, or console.users in %s", config.DefaultFile)
	}
	return loaded.Console.Users, nil
}

type userAdd struct {
	Name string `arg:"" help:"The user's name."`
	Role string `required:"" help:"viewer, operator or admin; each may do what those before it may." enum:"viewer,operator,admin" placeholder:"ROLE"`
	usersFile
}

// Run is called by kong.
func (c *userAdd) Run(ctx context.Context, s *streams) error {
	path, err := c.path(ctx)
	if err != nil {
		return err
	}
	if taken, err := entry(path, c.Name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	} else if taken != nil {
		return fmt.Errorf("%s has %s %s already; `pabal user passwd` changes his password", path, taken.Kind, c.Name)
	}
	password, err := readPassword(s)
	if err != nil {
		return err
	}
	if err := auth.AddUser(path, c.Name, api.Role(c.Role), password); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s may log in as %s; the file is %s.\n", text.Safe(c.Name), c.Role, path)
	return nil
}

// entry finds a user or token; nil where there is none.
func entry(path, name string) (*auth.Listed, error) {
	all, err := auth.List(path)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.Name == name {
			return &e, nil
		}
	}
	return nil, nil
}

type userPasswd struct {
	Name string `arg:"" help:"The user's name."`
	usersFile
}

// Run is called by kong.
func (c *userPasswd) Run(ctx context.Context, s *streams) error {
	path, err := c.path(ctx)
	if err != nil {
		return err
	}
	e, err := entry(path, c.Name)
	if err != nil {
		return err
	}
	if e == nil || e.Kind != "user" {
		return fmt.Errorf("%s has no user %s", path, c.Name)
	}
	password, err := readPassword(s)
	if err != nil {
		return err
	}
	if err := auth.AddUser(path, c.Name, e.Role, password); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s has a new password; sessions under the old one end.\n", text.Safe(c.Name))
	return nil
}

// readPassword asks twice on a terminal; else it is the first line of standard input.
func readPassword(s *streams) (string, error) {
	if file, ok := s.in.(*os.File); ok && isTerminal(file) {
		fmt.Fprint(s.err, "Password: ")
		first, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprint(s.err, "\nOnce more: ")
		second, again := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(s.err)
		if err := errors.Join(err, again); err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		if string(first) != string(second) {
			return "", errors.New("the passwords differ; nothing was changed")
		}
		return string(first), nil
	}
	line, err := bufio.NewReader(io.LimitReader(s.in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", wrongUse("there is no password: give it as the first line of standard input")
	}
	return line, nil
}

type userToken struct {
	Name    string        `arg:"" help:"What the token is for."`
	Role    string        `required:"" help:"viewer, operator or admin; each may do what those before it may." enum:"viewer,operator,admin" placeholder:"ROLE"`
	Expires time.Duration `help:"How long it is valid, such as 720h; default is for ever." placeholder:"TIME"`
	usersFile
}

// Run is called by kong.
func (c *userToken) Run(ctx context.Context, s *streams) error {
	path, err := c.path(ctx)
	if err != nil {
		return err
	}
	var until time.Time
	if c.Expires != 0 {
		until = time.Now().Add(c.Expires)
	}
	if c.Expires < 0 {
		return wrongUse("--expires=%s: it cannot be negative", c.Expires)
	}
	token, err := auth.AddToken(path, c.Name, api.Role(c.Role), until)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, token)
	fmt.Fprintf(s.err, "This is the only time it is shown; %s has its hash.\n", path)
	return nil
}

type userList struct {
	usersFile
	printing
}

// Run is called by kong.
func (c *userList) Run(ctx context.Context, s *streams) error {
	path, err := c.path(ctx)
	if err != nil {
		return err
	}
	all, err := auth.List(path)
	if err != nil {
		return err
	}
	return c.show(s, all, func(w io.Writer) {
		var rows [][]string
		for _, e := range all {
			rows = append(rows, []string{e.Name, e.Kind, string(e.Role), text.Time(e.Expires)})
		}
		text.Table(w, []string{"NAME", "KIND", "ROLE", "EXPIRES"}, rows)
	})
}

type userRemove struct {
	Name string `arg:"" help:"The user or token."`
	confirming
	usersFile
}

// Run is called by kong.
func (c *userRemove) Run(ctx context.Context, s *streams) error {
	path, err := c.path(ctx)
	if err != nil {
		return err
	}
	if err := c.confirm(s, "Remove %s from %s?", text.Safe(c.Name), path); err != nil {
		return err
	}
	if err := auth.Remove(path, c.Name); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s is removed; sessions end.\n", text.Safe(c.Name))
	return nil
}
