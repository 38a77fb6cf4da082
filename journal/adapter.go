package journal

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Adapter turns a stored payload of an old version into what the program knows
// today: one, none or many. What comes out is adapted again, so that adapters of
// successive versions chain. Make it with Rename, Upcast, Split or Drop.
type Adapter struct {
	name    string
	version int // 0: any
	adapt   func(Payload) ([]Payload, error)
}

// Rename gives payloads of any version another manifest; both without "#version".
func Rename(from, to string) Adapter {
	return Adapter{from, 0, func(p Payload) ([]Payload, error) {
		if _, version, ok := cutVersion(p.Manifest); ok {
			p.Manifest = versioned(to, version)
		} else {
			p.Manifest = to
		}
		return []Payload{p}, nil
	}}
}

// Upcast changes the fields of a JSON object of one version (1: without one) and
// makes it another. The manifest is without "#version".
func Upcast(manifest string, from, to int, change func(fields map[string]json.RawMessage) error) Adapter {
	if change == nil {
		return Adapter{name: manifest, version: max(from, 1)}
	}
	return Adapter{manifest, max(from, 1), func(p Payload) ([]Payload, error) {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(p.Data, &fields); err != nil {
			return nil, corrupt(p, err)
		}
		if fields == nil {
			return nil, corrupt(p, fmt.Errorf("want a JSON object, not null"))
		}
		if err := change(fields); err != nil {
			return nil, err
		}
		data, err := json.Marshal(fields)
		p.Data, p.Manifest = data, versioned(manifest, to)
		return []Payload{p}, err
	}}
}

// Split replaces a payload of one version (0: of any) by those that cut returns,
// in their order. What Pekko compressed is plain. The manifest is without
// "#version".
func Split(manifest string, version int, cut func(Payload) ([]Payload, error)) Adapter {
	return Adapter{manifest, version, cut}
}

// Drop leaves out payloads of any version; the manifest is without "#version".
func Drop(manifest string) Adapter {
	return Adapter{manifest, 0, func(Payload) ([]Payload, error) { return nil, nil }}
}

// WithAdapters is the registry with adapters, which Decode applies. Its error
// names a manifest and version that two adapters are for.
func (r *Registry) WithAdapters(adapters ...Adapter) (*Registry, error) {
	with := &Registry{all: r.all, byID: r.byID, adapters: map[adapterKey]Adapter{}}
	for key, a := range r.adapters {
		with.adapters[key] = a
	}
	for _, a := range adapters {
		key := adapterKey{a.name, a.version}
		if _, taken := with.adapters[key]; taken {
			return nil, fmt.Errorf("journal: two adapters are for manifest %q, version %d (0: any)", a.name, a.version)
		}
		if a.adapt == nil {
			return nil, fmt.Errorf("journal: the adapter for manifest %q has no function", a.name)
		}
		with.adapters[key] = a
	}
	return with, nil
}

type adapterKey struct {
	name    string
	version int
}

func (r *Registry) adapterOf(manifest string) (Adapter, bool) {
	name, version := splitVersion(manifest)
	if a, ok := r.adapters[adapterKey{name, version}]; ok {
		return a, true
	}
	a, ok := r.adapters[adapterKey{name, 0}]
	return a, ok
}

// Decode is Unmarshal after the adapters: one value, none or many.
func (r *Registry) Decode(p Payload) ([]any, error) {
	if _, adapted := r.adapterOf(p.Manifest); !adapted {
		value, err := r.Unmarshal(p)
		if err != nil {
			return nil, err
		}
		return []any{value}, nil
	}
	payloads, err := r.adapt(p)
	if err != nil {
		return nil, fmt.Errorf("journal: adapting serializer %d, manifest %q: %w", p.Serializer, p.Manifest, err)
	}
	values := make([]any, len(payloads))
	for i, adapted := range payloads {
		if values[i], err = r.Unmarshal(adapted); err != nil {
			return nil, fmt.Errorf("manifest %q after adapters: %w", p.Manifest, err)
		}
	}
	return values, nil
}

// adapt applies adapters until none is for what comes out.
func (r *Registry) adapt(p Payload) ([]Payload, error) {
	const maxSteps = 1000 // an endless chain of adapters would go on for ever
	todo, done := []Payload{p}, []Payload{}
	for step := 0; len(todo) > 0; step++ {
		next := todo[0]
		a, ok := r.adapterOf(next.Manifest)
		if !ok {
			done, todo = append(done, next), todo[1:]
			continue
		}
		if step == maxSteps {
			return nil, fmt.Errorf("its adapters do not end: after %d steps there is still one for manifest %q", maxSteps, next.Manifest)
		}
		data, err := unpack(next)
		if err != nil {
			return nil, err
		}
		next.Data = data
		out, err := a.adapt(next)
		if err != nil {
			return nil, err
		}
		todo = slices.Concat(out, todo[1:])
	}
	return done, nil
}
