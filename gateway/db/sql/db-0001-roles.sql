-- The gateway's processes sign in as chaski_app, which owns nothing: it may call the functions that
-- the migrations grant, and touch no table. The owner, who runs the migrations, is another role.

do $$
begin
    if not exists (select from pg_roles where rolname = 'chaski_app') then
        create role chaski_app login;
    end if;
exception
    -- Roles belong to the cluster: another database's migration may create it at the same moment.
    when duplicate_object or unique_violation then null;
end
$$;

revoke all on schema public from public;

revoke create on schema public from chaski_app;
