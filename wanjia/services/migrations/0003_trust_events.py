"""A request for correction knows the event that carries it out, and goes back to the office when that comes to nothing."""


import wanjia.services.rules.cases
from django.db import migrations, models

STAYS = """
CREATE OR REPLACE FUNCTION services_case_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state <> 'closed' AND (OLD.answered_at IS NULL OR NEW.answered_at = OLD.answered_at)
       AND (to_jsonb(NEW) - '{{state,outcome,answered_at,due_on{more}}}'::text[])
         = (to_jsonb(OLD) - '{{state,outcome,answered_at,due_on{more}}}'::text[]) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'cases stay, and a closed one does not change' USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('services', '0002_cases_stay'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='case',
            name='services_one_correction_at_a_time',
        ),
        migrations.AddField(
            model_name='case',
            name='event_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='case',
            name='state',
            field=models.CharField(choices=[(wanjia.services.rules.cases.State['OPEN'], wanjia.services.rules.cases.State['OPEN']), (wanjia.services.rules.cases.State['ANSWERED'], wanjia.services.rules.cases.State['ANSWERED']), (wanjia.services.rules.cases.State['APPEALED'], wanjia.services.rules.cases.State['APPEALED']), (wanjia.services.rules.cases.State['ACCEPTED'], wanjia.services.rules.cases.State['ACCEPTED']), (wanjia.services.rules.cases.State['REOPENED'], wanjia.services.rules.cases.State['REOPENED']), (wanjia.services.rules.cases.State['CLOSED'], wanjia.services.rules.cases.State['CLOSED'])], default=wanjia.services.rules.cases.State['OPEN'], max_length=9),
        ),
        migrations.AlterField(
            model_name='step',
            name='kind',
            field=models.CharField(choices=[(wanjia.services.rules.cases.StepKind['OPEN'], wanjia.services.rules.cases.StepKind['OPEN']), (wanjia.services.rules.cases.StepKind['ANSWER'], wanjia.services.rules.cases.StepKind['ANSWER']), (wanjia.services.rules.cases.StepKind['APPEAL'], wanjia.services.rules.cases.StepKind['APPEAL']), (wanjia.services.rules.cases.StepKind['DECIDE'], wanjia.services.rules.cases.StepKind['DECIDE']), (wanjia.services.rules.cases.StepKind['CARRY_OUT'], wanjia.services.rules.cases.StepKind['CARRY_OUT']), (wanjia.services.rules.cases.StepKind['UNDONE'], wanjia.services.rules.cases.StepKind['UNDONE'])], max_length=9),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'correct'), ('state__in', ('open', 'appealed', 'accepted', 'reopened'))), fields=('person_id', 'column'), name='services_one_correction_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('event_id__isnull', True), models.Q(('kind', 'correct'), models.Q(('state', 'open'), _negated=True)), _connector='OR'), name='services_event_carries_out'),
        ),
        # which event carries a request out is part of its progress
        migrations.RunSQL(STAYS.format(more=",event_id"), STAYS.format(more="")),
    ]
