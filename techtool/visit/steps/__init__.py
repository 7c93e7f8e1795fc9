"""The stations of a visit, one module each: functions over a :class:`techtool.visit.lane.Lane`."""
