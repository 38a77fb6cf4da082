package browsertest

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/pabal-dev/pabal/internal/testenv"
)

const (
	// pageTimeout is for one step in the browser, on a machine that has other work.
	pageTimeout = time.Minute
	// stateTimeout is for what the system does by itself.
	stateTimeout = 60 * time.Second
)

// chromium starts a browser with an empty profile for this test. It ends with the
// test, also with one that fails.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := testenv.Chromium(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// tab is one page of the browser. It complains at the end of the test about what
// the browser complained of.
type tab struct {
	*testing.T
	ctx        context.Context
	url        string // of the console, without a slash at its end
	complaints *complaints
}

// newTab opens a tab of a desktop's size.
func newTab(t *testing.T, browser context.Context, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx, url: url}
	b.do(chromedp.Func(func(context.Context, *chromedp.Target) error { return nil }))
	b.complaints = listen(t, ctx)
	b.size(1280, 900)
	t.Cleanup(b.complaints.report)
	return b
}

// do takes one step, which has to succeed.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := b.try(steps...); err != nil {
		b.Fatal(err)
	}
}

// try opens the tab with its own context the first time: that binds the tab's life.
func (b *tab) try(steps ...chromedp.Action[chromedp.Void]) error {
	if chromedp.FromContext(b.ctx).Target == nil {
		return chromedp.Do(b.ctx, steps...)
	}
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

func (b *tab) size(width, height int64) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1,
	}); err != nil {
		b.Fatal(err)
	}
}

// scheme makes the user prefer "light" or "dark".
func (b *tab) scheme(name string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	}); err != nil {
		b.Fatal(err)
	}
}
