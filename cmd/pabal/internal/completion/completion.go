// Package completion writes completion scripts for shells from the model of the
// command line: commands, flags and the values of those that have a few.
package completion

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

// Write writes the script for bash, zsh or fish.
func Write(w io.Writer, shell string, model *kong.Application) error {
	t := scripts.Lookup(shell)
	if t == nil {
		return fmt.Errorf("there is no completion for %s; there is one for bash, zsh and fish", shell)
	}
	return t.Execute(w, script{Name: model.Name, Commands: commandsOf(model.Node, "")})
}

// script is what the templates see.
type script struct {
	Name     string
	Commands []command
}

// command is one place on the command line.
type command struct {
	// At are the commands up to here, such as "topics list"; "" at the top.
	At    string
	Subs  []sub
	Flags []flag
	// Values of the first argument, where it has few.
	Values []string
}

type sub struct{ Name, Help string }

type flag struct {
	// Name without dashes; Short is "" or a letter.
	Name, Short, Help string
	// Takes says that a value follows, File that it is a file; Values are all there are.
	Takes, File bool
	Values      []string
}

// commandsOf lists a command and all below it. Flags of a command are also those of
// its default one.
func commandsOf(n *kong.Node, at string) []command {
	c := command{At: at, Flags: flagsOf(n)}
	for _, p := range n.Positional[:min(1, len(n.Positional))] {
		if p.Enum != "" {
			c.Values = values(p)
		}
	}
	var below []command
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		c.Subs = append(c.Subs, sub{child.Name, oneLine(child.Help)})
		below = append(below, commandsOf(child, strings.TrimSpace(at+" "+child.Name))...)
	}
	if n.DefaultCmd != nil {
		for _, f := range flagsOf(n.DefaultCmd) {
			if !slices.ContainsFunc(c.Flags, func(have flag) bool { return have.Name == f.Name }) {
				c.Flags = append(c.Flags, f)
			}
		}
	}
	return append([]command{c}, below...)
}

// flagsOf are a command's own flags and those that go with every command.
func flagsOf(n *kong.Node) []flag {
	var all []flag
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			one := flag{Name: f.Name, Help: oneLine(f.Help), Takes: !f.IsBool() && !f.IsCounter()}
			if f.Short != 0 {
				one.Short = string(f.Short)
			}
			if f.Enum != "" {
				one.Values = values(f.Value)
			}
			one.File = f.Tag != nil && f.Tag.Type == "path" || f.PlaceHolder == "FILE" || f.PlaceHolder == "DIR"
			all = append(all, one)
		}
	}
	return all
}

func values(v *kong.Value) []string {
	return slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Words are what can follow at that place.
func (c command) Words() string {
	words := slices.Clone(c.Values)
	for _, s := range c.Subs {
		words = append(words, s.Name)
	}
	return strings.Join(words, " ")
}

// Options are the flags with their dashes.
func (c command) Options() string {
	var all []string
	for _, f := range c.Flags {
		all = append(all, "--"+f.Name)
	}
	return strings.Join(all, " ")
}

// Spellings are a flag's, after the place it is used at.
func (f flag) Spellings() []string {
	all := []string{"--" + f.Name}
	if f.Short != "" {
		all = append(all, "-"+f.Short)
	}
	return all
}

// Taking are all flags that take a value, as "topics list --search".
func (s script) Taking() []string {
	var all []string
	for _, c := range s.Commands {
		for _, f := range c.Flags {
			if f.Takes {
				for _, spelling := range f.Spellings() {
					all = append(all, strings.TrimSpace(c.At+" "+spelling))
				}
			}
		}
	}
	return all
}

// Places are all commands but the top.
func (s script) Places() []string {
	var all []string
	for _, c := range s.Commands[1:] {
		all = append(all, c.At)
	}
	return all
}

// quoted is text in single quotes, for every shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "’") + "'" }

func patterns(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = `"` + s + `"`
	}
	return strings.Join(quoted, "|")
}

var scripts = template.Must(template.New("").Funcs(template.FuncMap{
	"quote": quoted, "patterns": patterns, "join": strings.Join,
}).Parse(bash + zsh + fish))
