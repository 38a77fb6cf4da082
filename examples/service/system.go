package service

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// System is services that work together. Each can run as a program of its own or
// beside the others in one process.
type System struct {
	Name        string
	Definitions []Definition
}

// New is the service of that name, to be started in this process.
func (s System) New(name string, c Config) (*Service, error) {
	d, err := s.Find(name)
	if err != nil {
		return nil, err
	}
	return New(d, c)
}

// Command is the program of that name, run until ctx ends; it returns the exit
// code. See the function Command.
func (s System) Command(ctx context.Context, name string, args []string, stdout, stderr io.Writer) int {
	d, err := s.Find(name)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return ExitUsage
	}
	return Command(ctx, d, args, stdout, stderr)
}

// Find is the definition of that name.
func (s System) Find(name string) (Definition, error) {
	var names []string
	for _, d := range s.Definitions {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return Definition{}, fmt.Errorf("%s has no service %q; there are %s", s.Name, name, strings.Join(names, ", "))
}
