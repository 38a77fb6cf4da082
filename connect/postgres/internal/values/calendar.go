package values

import "strconv"

// parser takes from the front of b; once that is not what it should be, it has failed.
type parser struct {
	b                []byte
	failed, bc       bool
	year, month, day int64
}

func (p *parser) number(least int) int64 {
	n, i := int64(0), 0
	for i < len(p.b) && '0' <= p.b[i] && p.b[i] <= '9' && i < 12 {
		n = n*10 + int64(p.b[i]-'0')
		i++
	}
	if i < least {
		p.failed = true
	}
	p.b = p.b[i:]
	return n
}

func (p *parser) skip(c byte) {
	if !p.take(c) {
		p.failed = true
	}
}

func (p *parser) take(c byte) bool {
	if len(p.b) == 0 || p.b[0] != c {
		return false
	}
	p.b = p.b[1:]
	return true
}

// date as the number of its day since 1970.
func (p *parser) date() int64 {
	p.year = p.number(4)
	p.skip('-')
	p.month = p.number(2)
	p.skip('-')
	p.day = p.number(2)
	return daysOf(p.year, p.month, p.day)
}

// era sets bc.
func (p *parser) era() {
	if string(p.b) == " BC" {
		p.b, p.bc = nil, true
	}
}

// beforeChrist is the date again, of the year 1 BC, which is 0, or of one before.
func (p *parser) beforeChrist() int64 { return daysOf(1-p.year, p.month, p.day) }

// clock as microseconds since midnight.
func (p *parser) clock() int64 {
	seconds := p.number(2) * 3600
	p.skip(':')
	seconds += p.number(2) * 60
	p.skip(':')
	seconds += p.number(2)
	return seconds*microsPerSecond + p.fraction()
}

// fraction of a second in microseconds.
func (p *parser) fraction() int64 {
	if !p.take('.') {
		return 0
	}
	n, unit := int64(0), int64(100_000)
	for len(p.b) > 0 && '0' <= p.b[0] && p.b[0] <= '9' {
		n += int64(p.b[0]-'0') * unit
		unit /= 10
		p.b = p.b[1:]
	}
	return n
}

// offset of a time zone in microseconds; 0 where there is none.
func (p *parser) offset() int64 {
	sign := int64(1)
	switch {
	case p.take('+'):
	case p.take('-'):
		sign = -1
	default:
		return 0
	}
	seconds := p.number(2) * 3600
	if p.take(':') {
		seconds += p.number(2) * 60
	}
	if p.take(':') {
		seconds += p.number(2)
	}
	return sign * seconds * microsPerSecond
}

// dateTime as microseconds since 1970 in UTC.
func (p *parser) dateTime() int64 {
	days := p.date()
	p.skip(' ')
	clock := p.clock()
	offset := p.offset()
	if p.era(); p.bc {
		days = p.beforeChrist()
	}
	return days*microsPerDay + clock - offset
}

// daysOf a date of the Gregorian calendar since 1970, for any year.
func daysOf(year, month, day int64) int64 {
	if month <= 2 {
		year--
	}
	era := floor(year, 400)
	ofEra := year - era*400
	shifted := month - 3
	if month <= 2 {
		shifted = month + 9
	}
	ofYear := (153*shifted+2)/5 + day - 1
	return era*146_097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719_468
}

// dateOf is the reverse of daysOf.
func dateOf(days int64) (year, month, day int64) {
	days += 719_468
	era := floor(days, 146_097)
	ofEra := days - era*146_097
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36_524 - ofEra/146_096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*ofYear + 2) / 153
	day = ofYear - (153*shifted+2)/5 + 1
	month, year = shifted+3, yearOfEra+era*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// appendDate as ISO 8601 has it: years of more than four digits have a sign.
func appendDate(b []byte, days int64) []byte {
	year, month, day := dateOf(days)
	switch {
	case year > 9999:
		b = append(b, '+')
	case year < 0:
		b, year = append(b, '-'), -year
	}
	b = appendPadded(b, year, 4)
	b = appendPadded(append(b, '-'), month, 2)
	return appendPadded(append(b, '-'), day, 2)
}

// appendClock with so many digits of a second, or with as many as needed for -1.
func appendClock(b []byte, micros int64, digits int) []byte {
	seconds, fraction := micros/microsPerSecond, micros%microsPerSecond
	b = appendPadded(b, seconds/3600, 2)
	b = appendPadded(append(b, ':'), seconds/60%60, 2)
	b = appendPadded(append(b, ':'), seconds%60, 2)
	if digits < 0 && fraction == 0 || digits == 0 {
		return b
	}
	b = appendPadded(append(b, '.'), fraction, 6)
	if digits >= 0 {
		return b[:len(b)-6+digits]
	}
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

func appendPadded(b []byte, n int64, width int) []byte {
	for limit := int64(10); width > 1; width-- {
		if n < limit {
			for range width - 1 {
				b = append(b, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(b, n, 10)
}
