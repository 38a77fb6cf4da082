package cloudconfig

import (
	"fmt"
	"slices"
	"strings"
)

// Properties are what a server said. They are read only.
type Properties struct {
	server  string
	values  map[string]Value // by canonical key
	environ []string
}

// Value is one property.
type Value struct {
	// Key as the server has it.
	Key string
	// Text with its placeholders replaced.
	Text string
	// Source is the server's name for where it is from, such as a file in its
	// repository.
	Source string

	raw string
}

// Origin is for people: the server and the source in it.
func (p *Properties) Origin(v Value) string { return p.server + " (" + v.Source + ")" }

// Keys are all, sorted, as the server has them.
func (p *Properties) Keys() []string {
	var all []string
	for _, v := range p.values {
		all = append(all, v.Key)
	}
	slices.Sort(all)
	return all
}

// Get finds a key, however it is written: bootstrap-servers, bootstrapServers and
// bootstrap_servers are one. Its error names the key: a placeholder without a value,
// or a value that is still encrypted.
func (p *Properties) Get(key string) (v Value, ok bool, err error) {
	v, ok = p.values[canonical(key)]
	if !ok {
		return Value{}, false, nil
	}
	r := &resolver{Properties: p, left: maxPlaceholders}
	v.Text, err = r.resolve(v.raw, []string{canonical(key)})
	if err != nil {
		return v, true, fmt.Errorf("%s: %s: %w", p.Origin(v), v.Key, err)
	}
	return v, true, nil
}

// List is a key's value split at commas, or those of key[0], key[1], ….
func (p *Properties) List(key string) ([]string, error) {
	v, ok, err := p.Get(key)
	if err != nil {
		return nil, err
	}
	if ok {
		return split(v.Text), nil
	}
	var all []string
	for i := 0; ; i++ {
		v, ok, err := p.Get(fmt.Sprintf("%s[%d]", key, i))
		if err != nil || !ok {
			return all, err
		}
		all = append(all, v.Text)
	}
}

func split(text string) (all []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// SameKey says whether two ways to write a key mean the same.
func SameKey(a, b string) bool { return canonical(a) == canonical(b) }

// canonical is a key without what Spring's relaxed names may differ in.
func canonical(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == '_':
			return -1
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, key)
}

// maxDepth bounds placeholders in placeholders, maxPlaceholders how many one value
// comes to, maxText what they grow to.
const (
	maxDepth        = 16
	maxPlaceholders = 10_000
	maxText         = 64 << 10
)

// resolver replaces the placeholders of one value.
type resolver struct {
	*Properties
	left int
}

// resolve replaces the placeholders of a text; within are the keys it came through.
func (r *resolver) resolve(text string, within []string) (string, error) {
	if strings.HasPrefix(text, "{cipher}") {
		return "", fmt.Errorf("the value is still encrypted; let the server decrypt it")
	}
	if len(within) > maxDepth {
		return "", fmt.Errorf("placeholders are nested more than %d deep", maxDepth)
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if out.Len() > maxText {
			return "", fmt.Errorf("the value grows beyond %d bytes", maxText)
		}
		if !found {
			return out.String(), nil
		}
		inner, after, closed := cutClosing(rest)
		if !closed {
			return "", fmt.Errorf("a placeholder is not closed")
		}
		value, err := r.placeholder(inner, within)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		text = after
	}
}

// cutClosing finds the brace that closes a placeholder; others may be within.
func cutClosing(text string) (inner, after string, ok bool) {
	depth := 1
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '{' && i > 0 && text[i-1] == '$':
			depth++
		case text[i] == '}':
			if depth--; depth == 0 {
				return text[:i], text[i+1:], true
			}
		}
	}
	return "", "", false
}

func (r *resolver) placeholder(inner string, within []string) (string, error) {
	if r.left--; r.left < 0 {
		return "", fmt.Errorf("the value has more than %d placeholders", maxPlaceholders)
	}
	name, otherwise, hasDefault := strings.Cut(inner, ":")
	key := canonical(name)
	if slices.Contains(within, key) {
		return "", fmt.Errorf("${%s} refers to itself", name)
	}
	if value, ok := r.environment(name); ok {
		return value, nil
	}
	if v, ok := r.values[key]; ok {
		return r.resolve(v.raw, append(slices.Clone(within), key))
	}
	if hasDefault {
		return r.resolve(otherwise, append(slices.Clone(within), ""))
	}
	return "", fmt.Errorf("${%s} has no value", name)
}

// environment finds a variable by its name, or as Spring writes a key: a.b-c is A_BC.
func (p *Properties) environment(name string) (string, bool) {
	upper := strings.ToUpper(strings.ReplaceAll(strings.ReplaceAll(name, "-", ""), ".", "_"))
	for _, line := range p.environ {
		if variable, value, _ := strings.Cut(line, "="); variable == name || variable == upper {
			return value, true
		}
	}
	return "", false
}
