package browsertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestKeyboardAlone: everything is reached without a mouse.
func TestKeyboardAlone(t *testing.T) {
	browser := chromium(t)
	s := newSite(t, nil).known().shop()
	s.approved(s.place())
	b := newTab(t, browser, s.url)
	b.open("/")

	b.keys("?")
	b.until("the list of shortcuts", `() => document.querySelector('#shortcuts').open`)
	b.sees("Next and previous line of a list")
	b.picture("shortcuts")
	b.keys(kb.Escape)
	b.until("its end", `() => !document.querySelector('#shortcuts').open`)

	b.keys("/")
	b.until("the focus in the search", `() => document.activeElement.id === 'find'`)
	b.keys("gt") // letters, in a field
	b.until("letters in the search", `() => document.querySelector('#find').value === 'gt'`)
	b.keys(kb.Escape)
	b.until("the focus out of the search", `() => document.activeElement.id !== 'find'`)

	for _, section := range b.sections() {
		b.open("/help")
		b.keys("g" + section.Key)
		b.until("the page "+section.Path, `path => location.pathname === path && document.readyState === 'complete'`, section.Path)
	}

	b.open("/topics")
	b.keys("j")
	b.keys("j")
	b.keys("k")
	b.keys("\r")
	b.until("the first line's page", `() => location.pathname.startsWith('/topics/') && document.readyState === 'complete'`)
	b.keys("f")
	b.until("the focus in the filter", `() => document.activeElement.name === 'filter'`)

	b.open("/")
	order := b.tabbed(8)
	if !strings.Contains(order[0], "Skip to the content") || !slices.ContainsFunc(order, func(s string) bool { return strings.Contains(s, "find") }) {
		t.Errorf("tab goes through %q", order)
	}

	b.open("/outbox/payment")
	b.do(focus("main details summary"))
	b.keys("\r")
	b.until("the form", `() => document.querySelector('main details').open`)
	b.do(focus("input[name=reason]"))
	b.keys("without a mouse")
	b.keys("\r")
	b.until("the question", `() => document.querySelector('#confirm').open`)
	inside, err := evaluate[bool](b, `() => document.querySelector('#confirm').contains(document.activeElement) && document.activeElement.value !== 'yes'`)
	if err != nil || !inside {
		t.Errorf("the focus is not in the question, or on what cannot be undone (%v)", err)
	}
	b.keys(kb.Escape)
	b.until("the end of the question", `() => !document.querySelector('#confirm').open`)
	b.lacks("resume relay")
	b.do(focus("input[name=reason]"))
	b.keys("\r")
	b.until("the question", `() => document.querySelector('#confirm').open`)
	b.do(focus("#confirm button[value=yes]"))
	b.keys("\r")
	b.sees("Resume relay", "without a mouse")
}

// tabbed presses Tab and says where the focus came, each of which has to be seen.
func (b *tab) tabbed(times int) []string {
	b.Helper()
	var order []string
	for range times {
		b.keys("\t")
		e, err := evaluate[struct {
			Name    string
			Outline bool
		}](b, `() => {
			const e = document.activeElement, s = getComputedStyle(e);
			return {name: (e.id || '') + ' ' + (e.innerText || '').trim(), outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none'};
		}`)
		if err != nil {
			b.Fatal(err)
		}
		if !e.Outline {
			b.Errorf("nothing shows that %q has the focus", e.Name)
		}
		order = append(order, e.Name)
	}
	return order
}

type section struct{ Key, Path string }

// sections are the parts of the navigation.
func (b *tab) sections() []section {
	b.Helper()
	all, err := evaluate[[]section](b, `() => [...document.querySelectorAll('nav.side a[data-key]')].map(a => ({key: a.dataset.key, path: a.pathname}))`)
	if err != nil || len(all) < 6 {
		b.Fatalf("the navigation has %v, %v", all, err)
	}
	return all
}
