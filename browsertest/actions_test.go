package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// open goes to a path of the console.
func (b *tab) open(path string) {
	b.Helper()
	if err := b.try(chromedp.Navigate(b.url + path)); err != nil {
		b.Fatalf("open %s: %v", path, err)
	}
}

// evaluate runs a function of JavaScript with arguments in the page.
func evaluate[T any](b *tab, function string, args ...any) (T, error) {
	data, err := json.Marshal(append([]any{}, args...))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf("(%s)(...%s)", function, data)))
}

// until polls the page until the function of JavaScript returns true.
func (b *tab) until(what, function string, args ...any) {
	b.Helper()
	var last error
	for end := time.Now().Add(stateTimeout); ; {
		ok, err := evaluate[bool](b, function, args...)
		if ok {
			return
		}
		last = err // a page that is just being left cannot answer
		if time.Now().After(end) {
			b.Fatalf("waited %s for %s (%v); the page:\n%s", stateTimeout, what, last, b.page())
		}
		b.pause()
	}
}

// pause is the pace of polling.
func (b *tab) pause() {
	b.Helper()
	select {
	case <-time.After(50 * time.Millisecond):
	case <-b.ctx.Done():
		b.Fatal("the tab has gone: ", context.Cause(b.ctx))
	}
}

// sees waits until all texts are visible on the page, in any case of letters.
func (b *tab) sees(texts ...string) {
	b.Helper()
	for _, text := range texts {
		b.until(fmt.Sprintf("the text %q", text),
			`text => document.body.innerText.replace(/\s+/g, ' ').toLowerCase().includes(text.toLowerCase())`, text)
	}
}

// seesAt is sees for pages that do not follow by themselves: it opens them again.
func (b *tab) seesAt(path, text string) {
	b.Helper()
	for end := time.Now().Add(stateTimeout); ; {
		b.open(path)
		if strings.Contains(strings.ToLower(b.text()), strings.ToLower(text)) {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("waited %s for %q at %s; the page:\n%s", stateTimeout, text, path, b.page())
		}
		b.pause()
	}
}

func (b *tab) lacks(text string) {
	b.Helper()
	if strings.Contains(strings.ToLower(b.text()), strings.ToLower(text)) {
		b.Errorf("%q is on the page:\n%s", text, b.page())
	}
}

// text is what a person sees on the page.
func (b *tab) text() string {
	b.Helper()
	text, err := evaluate[string](b, `() => document.body.innerText.replace(/\s+/g, ' ')`)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// page describes the page where a test failed.
func (b *tab) page() string {
	where, _ := evaluate[string](b, `() => location.href + "\n" + document.body.innerText`)
	return where
}

// path is where the tab is now.
func (b *tab) path() string {
	b.Helper()
	path, err := evaluate[string](b, `() => location.pathname + location.search`)
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// spot is the middle of an element, in the part of the page that is seen.
type spot struct {
	X, Y    float64
	Problem string
}

const find = `(selector, text) => {
	const said = e => (e.innerText || e.value || e.getAttribute('aria-label') || '').replace(/\s+/g, ' ').trim();
	const all = [...document.querySelectorAll(selector)].filter(e => e.checkVisibility() && (!text || said(e).includes(text)));
	if (!all.length) return {problem: 'it is not there, or not visible'};
	const e = all[0];
	if (e.matches(':disabled')) return {problem: 'it is disabled'};
	e.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
	const r = e.getClientRects()[0], x = r.x + r.width / 2, y = r.y + r.height / 2;
	const top = document.elementFromPoint(x, y);
	if (!top || !(e === top || e.contains(top) || top.contains(e))) return {problem: 'it is covered by ' + (top ? top.outerHTML.slice(0, 200) : 'nothing')};
	return {x, y, problem: ''};
}`

// press clicks with the mouse on what matches the selector and has the text, as soon
// as it is there, enabled and not covered.
func (b *tab) press(selector, text string) {
	b.Helper()
	var problem error
	for end := time.Now().Add(stateTimeout); ; {
		at, err := evaluate[spot](b, find, selector, text)
		if err == nil && at.Problem == "" {
			b.do(chromedp.MouseClickXY(at.X, at.Y))
			return
		}
		if problem = err; err == nil {
			problem = errors.New(at.Problem)
		}
		if time.Now().After(end) {
			b.Fatalf("press %s %q: %v; the page:\n%s", selector, text, problem, b.page())
		}
		b.pause()
	}
}

// fill puts text into a field, in place of what is there.
func (b *tab) fill(selector, text string) {
	b.Helper()
	b.until("the field "+selector, `selector => {
		const e = document.querySelector(selector);
		if (!e || e.matches(':disabled')) return false;
		e.focus(); e.select();
		return document.activeElement === e;
	}`, selector)
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	if _, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.Fatal(err)
	}
	b.until("the text in "+selector, `(selector, text) => document.querySelector(selector).value === text`, selector, text)
}

// keys types on the keyboard, wherever the focus is. Text goes with the key's own
// event, as from a real keyboard: where the page prevents that, nothing is typed.
func (b *tab) keys(keys string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	for _, r := range keys {
		events := kb.Encode(r)
		down, up := events[0], events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, e := range []*input.DispatchKeyEventParams{down, up} {
			if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, *e); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// picture is kept where PABAL_SCREENSHOTS names a folder: the whole page.
func (b *tab) picture(name string) {
	b.Helper()
	folder := os.Getenv("PABAL_SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	data, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, name+".png"), data, 0o644))
	}
	if err != nil {
		b.Error(err)
	}
}

// focus puts the keyboard's focus on an element.
func focus(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Focus(chromedp.CSS(selector))
}
