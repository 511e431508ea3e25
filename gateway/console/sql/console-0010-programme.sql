-- What staff's pages may call of the programme: sums are read, targets are set. Tariffs, travel and
-- the register are loaded at the command line, by the owner.
-- depends: console-0002-grants  programme-0004-reading

grant usage on schema programme to chaski_staff;

grant execute on function
    programme.members, programme.course, programme.orders, programme.requests, programme.steps,
    programme.sessions, programme.costs, programme.travel_avoided, programme.assumptions,
    programme.targets, programme.summed_until,
    programme.set_target, programme.drop_target
to chaski_staff;
