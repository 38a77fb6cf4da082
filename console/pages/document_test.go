package pages_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// node is an element of a page.
type node struct {
	name     string
	attr     map[string]string
	text     string // its own and that of all within
	parent   *node
	children []*node
}

// void are the elements without an end.
var void = []string{"meta", "link", "input", "br", "hr", "img"}

// parse reads a page strictly: every element that is not void is closed, in order.
func parse(html string) (*node, error) {
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.Entity = false, xml.HTMLEntity // attributes without value
	root := &node{}
	at := root
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, attr: map[string]string{}, parent: at}
			for _, a := range t.Attr {
				if _, twice := n.attr[a.Name.Local]; twice {
					return nil, fmt.Errorf("<%s> has %s twice", n.name, a.Name.Local)
				}
				n.attr[a.Name.Local] = a.Value
			}
			at.children = append(at.children, n)
			if !slices.Contains(void, n.name) {
				at = n
			}
		case xml.EndElement:
			if slices.Contains(void, t.Name.Local) {
				continue
			}
			if at.name != t.Name.Local {
				return nil, fmt.Errorf("</%s> ends <%s>: %s", t.Name.Local, at.name, at.where())
			}
			at = at.parent
		case xml.CharData:
			for n := at; n != nil; n = n.parent {
				n.text += string(t)
			}
		}
	}
	if at != root {
		return nil, fmt.Errorf("<%s> has no end", at.name)
	}
	return root, nil
}

// all elements within that match.
func (n *node) all(match func(*node) bool) []*node {
	var found []*node
	for _, c := range n.children {
		if match(c) {
			found = append(found, c)
		}
		found = append(found, c.all(match)...)
	}
	return found
}

func (n *node) named(names ...string) []*node {
	return n.all(func(n *node) bool { return slices.Contains(names, n.name) })
}

func (n *node) with(attr string) []*node {
	return n.all(func(n *node) bool { return n.has(attr) })
}

func (n *node) has(attr string) bool {
	_, ok := n.attr[attr]
	return ok
}

// above is the nearest element around it of that name, nil where there is none.
func (n *node) above(name string) *node {
	for p := n.parent; p != nil; p = p.parent {
		if p.name == name {
			return p
		}
	}
	return nil
}

// where says the way to an element, for messages.
func (n *node) where() string {
	if n.parent == nil {
		return ""
	}
	return n.parent.where() + "/" + n.name
}
