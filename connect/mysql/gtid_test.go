package mysql

import "testing"

func TestTransactionIDs(t *testing.T) {
	const a, b = "3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"
	for _, c := range []struct {
		flavor          flavor
		set, next, want string
	}{
		{mariadb, "1-1-2,0-1-7", "0-2-8", "0-2-8,1-1-2"},
		{mariadb, "0-1-7", "0-1-6", "0-1-7"},
		{mariadb, "0-1-7", "5-1-1", "0-1-7,5-1-1"},
		{mysql, a + ":1-5", a + ":6", a + ":1-6"},
		{mysql, a + ":1-5,\n" + b + ":1", b + ":3", a + ":1-5," + b + ":1:3"},
	} {
		set, err := parseGTIDs(c.flavor, c.set)
		if err != nil {
			t.Fatal(err)
		}
		before := set.String()
		next, err := set.with(c.next)
		if err != nil || next.String() != c.want || set.String() != before {
			t.Errorf("%s and %s: %v, %v, want %s; the set itself is %s", c.set, c.next, next, err, c.want, set)
		}
	}
	for _, text := range []string{"0-1", "a-b-c", "0-1-2-3", "-1-1-1"} {
		if set, err := parseGTIDs(mariadb, text); err == nil {
			t.Errorf("%s is %s", text, set)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		a, b place
		want bool
	}{
		{place{"b.000009", 5}, place{"b.000009", 5}, true},
		{place{"b.000009", 4}, place{"b.000009", 5}, false},
		{place{"b.000010", 4}, place{"b.000009", 500}, true},
		{place{"b.999999", 4}, place{"b.1000000", 4}, false},
	} {
		if got := c.a.reaches(c.b); got != c.want {
			t.Errorf("%s reaches %s: %t", c.a, c.b, got)
		}
	}
}
