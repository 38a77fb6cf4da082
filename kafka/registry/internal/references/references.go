// Package references gets the schemas that others refer to from a registry, within the limits that a
// registry has where it was given no others.
package references

import (
	"cmp"
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Schema is one that another names, and where the registry has it.
type Schema struct {
	client.Reference
	// Type is never empty.
	Type, Text string
}

// Fetch returns what references mean and what that refers to, each schema behind those it needs.
// Errors are those of package client, tree.ErrLimit, or about references that go round.
func Fetch(ctx context.Context, c *client.Client, refs []client.Reference) ([]Schema, error) {
	w := &walk{registry: c, limits: registry.DefaultLimits(), done: map[client.Reference]bool{}}
	err := w.visit(ctx, refs, 0)
	return w.all, err
}

type walk struct {
	registry *client.Client
	limits   registry.Limits
	done     map[client.Reference]bool // false while it is visited
	all      []Schema
}

func (w *walk) visit(ctx context.Context, refs []client.Reference, depth int) error {
	for _, r := range refs {
		done, seen := w.done[r]
		switch {
		case done:
			continue
		case seen:
			return fmt.Errorf("its references go round: %s version %d refers to itself", r.Subject, r.Version)
		case depth > w.limits.Depth || len(w.done) >= w.limits.References:
			return fmt.Errorf("%w: it has more than %d references, or they are deeper than %d", tree.ErrLimit, w.limits.References, w.limits.Depth)
		}
		w.done[r] = false
		found, err := w.registry.Version(ctx, r.Subject, r.Version)
		if err == nil {
			err = CheckSize(found.Text)
		}
		if err != nil {
			return fmt.Errorf("its reference %q: %w", r.Name, err)
		}
		if err := w.visit(ctx, found.References, depth+1); err != nil {
			return err
		}
		w.done[r] = true
		w.all = append(w.all, Schema{r, cmp.Or(found.Type, client.Avro), found.Text})
	}
	return nil
}

// CheckSize reports a text that is longer than a schema may be. The error is tree.ErrLimit.
func CheckSize(text string) error {
	if most := registry.DefaultLimits().Schema; len(text) > most {
		return fmt.Errorf("%w: it has %d bytes, more than %d", tree.ErrLimit, len(text), most)
	}
	return nil
}
